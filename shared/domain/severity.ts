/** The six severities of a finding and their order. */

/** From worst to least; `unknown` is not the least bad, it is unrated. */
export const severities = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const;

export type Severity = (typeof severities)[number];

/** 5 critical, 4 high, 3 medium, 2 low, 1 negligible, 0 unknown. */
export function severityRank(severity: Severity): number {
  return severities.length - 1 - severities.indexOf(severity);
}

/** Where a severity comes from, so that a reader can check it. */
export interface SeverityRating {
  readonly severity: Severity;
  /** `advisory`, `advisory-cvss`, `cve` …: which source of the precedence spoke. */
  readonly source: string;
  readonly cvss?: { readonly vector: string; readonly score: number };
}
