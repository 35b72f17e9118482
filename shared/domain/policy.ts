/** A policy as data: rules over findings and coverage, each with the decision that it leads to. */
import type { CoverageCode } from './coverage.ts';
import type { Severity } from './severity.ts';

/** What a rule looks at; every condition given must hold. */
export type PolicyRule =
  | {
      readonly id: string;
      readonly on: 'finding';
      readonly outcome: 'fail' | 'warn' | 'ignore';
      /** Severities that the rule is about; absent: all. */
      readonly severities?: readonly Severity[];
      /** True: only findings that have a fixed version; false: only those that have none. */
      readonly fixable?: boolean;
      readonly malicious?: boolean;
      /** Advisory ids or aliases. */
      readonly ids?: readonly string[];
      /** Globs over purls, `*` for any characters. */
      readonly packages?: readonly string[];
    }
  | {
      readonly id: string;
      readonly on: 'coverage';
      readonly outcome: 'fail' | 'warn' | 'ignore';
      /** Codes that the rule is about; absent: all. */
      readonly codes?: readonly CoverageCode[];
    };

export interface Policy {
  readonly name: string;
  /** The first rule that fits a finding or a coverage issue decides about it. What no rule fits is a warning. */
  readonly rules: readonly PolicyRule[];
}

/** A policy with what a verdict names of it. */
export interface PolicyRevision {
  readonly policy: Policy;
  readonly revision: number;
  readonly contentHash: string;
}
