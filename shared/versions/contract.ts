/** What a version order is. */

/** Longest version, in characters, that any order places: versions come from images and feeds, and no real one is a
 *  fifth as long. */
export const maxVersionLength = 512;

export interface VersionOrder {
  readonly name: string;
  /** Below 0, 0 or above 0 as a sorts before, with or after b; undefined where either has no place in this order. */
  compare(a: string, b: string): -1 | 0 | 1 | undefined;
}
