/** Verdicts: whether an image may run at a place, why, and from which inputs. */
import { createHash } from 'node:crypto';
import type { CoverageIssue } from './coverage.ts';
import type { Severity } from './severity.ts';

/** From best to worst, as a reader of several verdicts takes the worst. */
export const decisions = ['pass', 'warn', 'pending', 'fail', 'error'] as const;

export type Decision = (typeof decisions)[number];

/** What a judge can conclude; `pending` and `error` come from the pipeline alone. */
export type JudgedDecision = 'pass' | 'warn' | 'fail';

/** The worst of several decisions; `pending` where there is none. */
export function worstDecision(all: readonly Decision[]): Decision {
  return (
    all.reduce<Decision | undefined>(
      (worst, next) =>
        worst === undefined || decisions.indexOf(next) > decisions.indexOf(worst) ? next : worst,
      undefined,
    ) ?? 'pending'
  );
}

export interface Reason {
  /** Rule of the policy that speaks. */
  readonly rule: string;
  readonly message: string;
}

export interface Revision {
  readonly revision: number;
  readonly contentHash: string;
}

/** Everything that a verdict is a function of. */
export interface VerdictInputs {
  /** Hash over the image record and the names of the layer inventories, in order. */
  readonly inventories: string;
  readonly advisories: { readonly revision: number | null; readonly contentHash: string };
  readonly policy: Revision & { readonly name: string };
  readonly exceptions: Revision;
  /** engineRevision of the code that judged. */
  readonly engine: number;
  /** Set once at intake or per rescan run; RFC 3339. */
  readonly asOf: string;
}

/** 40 hex digits that name a set of inputs: the id of a history item. */
export function inputsHash(inputs: VerdictInputs): string {
  return createHash('sha256').update(canonicalInputs(inputs, inputs.asOf)).digest('hex').slice(0, 40);
}

/** Whether two sets of inputs differ in nothing but `asOf`. */
export function sameButAsOf(a: VerdictInputs, b: VerdictInputs): boolean {
  return canonicalInputs(a, '') === canonicalInputs(b, '');
}

export interface VerdictSummary {
  readonly packages: number;
  /** Number of findings of each severity. */
  readonly findings: Readonly<Record<Severity, number>>;
  readonly fixable: number;
  readonly coverageComplete: boolean;
  readonly coverageIssues: number;
  /** The first reasons, for lists; the report has all. */
  readonly reasons: readonly Reason[];
}

/** Codes and details of coverage, as the report holds them. */
export interface Coverage {
  readonly complete: boolean;
  readonly issues: readonly CoverageIssue[];
}

function canonicalInputs(inputs: VerdictInputs, asOf: string): string {
  return JSON.stringify([
    inputs.inventories,
    inputs.advisories.revision,
    inputs.advisories.contentHash,
    inputs.policy.name,
    inputs.policy.revision,
    inputs.policy.contentHash,
    inputs.exceptions.revision,
    inputs.exceptions.contentHash,
    inputs.engine,
    asOf,
  ]);
}
