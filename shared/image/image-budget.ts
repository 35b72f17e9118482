/** How much all layers of an image together may declare. Each layer alone is bounded, but an image may have a thousand of
 *  them, and judging holds them all at once. */
import type { CoverageIssue } from '../domain/coverage.ts';
import type { LayerInventory } from '../domain/inventory.ts';

/** Most rows of an image's inventories: wanted paths, claims, removed paths, issues. Each costs judging about 1 KB; an
 *  application that installs 20,000 npm packages and copies them twice has 120,000. */
export const maxImageRows = 250_000;

export class ImageBudget {
  readonly #maxRows: number;
  #rows = 0;

  constructor(maxRows: number = maxImageRows) {
    this.#maxRows = maxRows;
  }

  /** Takes the next layer, bottom first: the order decides which layers fit. Undefined where it fits; else the issue that
   *  stands for it, and nothing is taken. */
  take(inventory: LayerInventory): CoverageIssue | undefined {
    const rows = rowsOf(inventory);
    if (this.#rows + rows > this.#maxRows) {
      return {
        code: 'LIMIT_MEMORY',
        layer: inventory.layerDigest,
        detail: `the layers of the image declare more than ${this.#maxRows} files and packages (maxImageRows); what this layer brings or hides was not judged`,
      };
    }
    this.#rows += rows;
    return undefined;
  }
}

function rowsOf(inventory: LayerInventory): number {
  const { files, groups, whiteouts, opaqueDirectories, wantedDirectories, issues } = inventory;
  const claims = groups.reduce((sum, group) => sum + group.claims.length, 0);
  return (
    files.length +
    claims +
    whiteouts.length +
    opaqueDirectories.length +
    wantedDirectories.length +
    issues.length
  );
}
