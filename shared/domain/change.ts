/** Kinds of changes between two verdicts: what a subscription can ask to be told. */

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
