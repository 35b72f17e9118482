/** What the functions of the sample app were called with, and how they shall behave. */

export interface Call {
  readonly function: string;
  readonly input: unknown;
  readonly metadata: unknown;
}

export const calls: Call[] = [];

/** Texts for which the queue function throws. */
export const failing = new Set<string>();

/** Queue functions wait for this before they end. */
export const gate: { until: Promise<void> } = { until: Promise.resolve() };
