/** Changes between two verdicts and their kinds: what a subscription can ask to be told. */
import type { Severity } from './severity.ts';

export const changeKinds = [
  'finding.new',
  'finding.gone',
  'finding.severity',
  'finding.fix-available',
  'coverage.new',
  'coverage.gone',
  'decision',
] as const;

export type ChangeKind = (typeof changeKinds)[number];

/** One difference between two reports. Kind and subject name it within the pair. */
export interface Change {
  readonly kind: ChangeKind;
  /** findingKey of a finding, code and place of a coverage issue, `decision`. */
  readonly subject: string;
  /** Of a finding as it is now, or was last. */
  readonly severity?: Severity;
  /** One line for people. */
  readonly title: string;
  /** Severity or decision before and after, for the kinds that have both. */
  readonly before?: string;
  readonly after?: string;
  /** Id of the advisory. */
  readonly advisory?: string;
  readonly purl?: string;
  readonly fixedVersion?: string;
}
