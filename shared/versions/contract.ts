/** What a version order is. */

export interface VersionOrder {
  readonly name: string;
  /** Below 0, 0 or above 0 as a sorts before, with or after b; undefined where either has no place in this order. */
  compare(a: string, b: string): -1 | 0 | 1 | undefined;
}
