/** The order of texts by their code units: the same on every machine, whatever its language. */

/** Below 0, 0 or above 0 as a sorts before, with or after b. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
