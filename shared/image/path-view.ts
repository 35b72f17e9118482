/** The wanted paths of an image while its layers are stacked: what each path holds and since which layer. */
import { compareText } from '../base/text-order.ts';
import type { LayerInventory } from '../domain/inventory.ts';
import { type PathState, readStates } from './path-state.ts';

/** Stacks layers, bottom first. The rules are those of the OCI image specification (layer.md, "Whiteouts" and "Applying
 *  Changesets"): a layer's whiteouts, opaque directories and replaced paths hide what lower layers had, never what the
 *  same layer brings. */
export class PathView {
  /** Every wanted path of any layer, sorted, so that a subtree is a range. */
  readonly #paths: readonly string[];
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #states: (PathState | undefined)[];
  #heldCount = 0;

  constructor(inventories: readonly LayerInventory[]) {
    const paths = new Set<string>();
    for (const { files } of inventories) for (const { path } of files) paths.add(path);
    this.#paths = [...paths].sort(compareText);
    this.#indexOf = new Map(this.#paths.map((path, index) => [path, index]));
    this.#states = this.#paths.map(() => undefined);
  }

  /** True while no layer so far has left anything that an upper one could hide. */
  get isEmpty(): boolean {
    return this.#heldCount === 0;
  }

  /** The state of a wanted path; undefined where nothing is there. */
  at(path: string): PathState | undefined {
    const index = this.#indexOf.get(path);
    return index === undefined ? undefined : this.#states[index];
  }

  /** Everything that is there, sorted by path. */
  *held(): Generator<PathState> {
    for (const state of this.#states) if (state !== undefined) yield state;
  }

  /** Applies the next layer. `leafPaths` are its paths that are no directories, in any order; they may be left out while
   *  the view is empty. */
  apply(layer: number, inventory: LayerInventory, leafPaths: readonly string[]): void {
    const replaced = this.isEmpty ? new Map<number, PathState>() : this.#hide(inventory, leafPaths);
    const before = (path: string): PathState | undefined => {
      const index = this.#indexOf.get(path);
      return index === undefined ? undefined : (this.#states[index] ?? replaced.get(index));
    };
    // All links are followed before anything is put: they name what lower layers hold, even where this one replaces it.
    const states = readStates(layer, inventory, before);
    for (const state of states) {
      const index = this.#indexOf.get(state.path);
      if (index === undefined) continue;
      if (this.#states[index] === undefined) this.#heldCount += 1;
      this.#states[index] = state;
    }
  }

  /** Removes what the layer hides and returns it by index. */
  #hide(inventory: LayerInventory, leafPaths: readonly string[]): Map<number, PathState> {
    const ranges: [number, number][] = [];
    const hidePath = (path: string): void => {
      const index = this.#indexOf.get(path);
      if (index !== undefined) ranges.push([index, index + 1]);
    };
    const hideBelow = (directory: string): void => {
      const start = lowerBound(this.#paths, `${directory}/`);
      // "0" follows "/": every path below the directory sorts before it.
      if (this.#paths[start]?.startsWith(`${directory}/`) === true) {
        ranges.push([start, lowerBound(this.#paths, `${directory}0`)]);
      }
    };
    for (const path of inventory.whiteouts) {
      hidePath(path);
      hideBelow(path);
    }
    for (const directory of inventory.opaqueDirectories) {
      if (directory === '') ranges.push([0, this.#paths.length]);
      else hideBelow(directory);
    }
    for (const path of leafPaths) {
      hidePath(path);
      hideBelow(path);
    }
    for (const path of inventory.wantedDirectories) hidePath(path);
    this.#hideImpliedDirectories(leafPaths, ranges);
    return this.#clear(ranges);
  }

  /** A layer need not list the directories of its paths: what lies below a file of a lower layer replaces it. A small
   *  layer is asked path by path, so that a thousand of them over a large one do not cost a walk over everything each. */
  #hideImpliedDirectories(leafPaths: readonly string[], ranges: [number, number][]): void {
    if (costOfAncestors(leafPaths) < this.#paths.length) {
      for (const path of leafPaths) {
        for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
          const index = this.#indexOf.get(path.slice(0, slash));
          if (index !== undefined) ranges.push([index, index + 1]);
        }
      }
      return;
    }
    const leaves = sorted(leafPaths);
    for (const [index, state] of this.#states.entries()) {
      if (state === undefined) continue;
      const below = `${state.path}/`;
      if (leaves[lowerBound(leaves, below)]?.startsWith(below) === true) ranges.push([index, index + 1]);
    }
  }

  /** Overlapping ranges are joined first: a hostile layer may nest thousands of them. */
  #clear(ranges: [number, number][]): Map<number, PathState> {
    const cleared = new Map<number, PathState>();
    let next = 0;
    for (const [start, end] of ranges.sort((a, b) => a[0] - b[0])) {
      for (let index = Math.max(start, next); index < end; index += 1) {
        const state = this.#states[index];
        if (state === undefined) continue;
        cleared.set(index, state);
        this.#states[index] = undefined;
        this.#heldCount -= 1;
      }
      next = Math.max(next, end);
    }
    return cleared;
  }
}

/** What looking up every directory above the paths costs, in characters to hash over those of one usual path. */
function costOfAncestors(paths: readonly string[]): number {
  const usualLength = 64;
  return paths.reduce((sum, path) => sum + (path.length / usualLength) ** 2, 0);
}

function sorted(texts: readonly string[]): readonly string[] {
  const isSorted = texts.every((text, index) => index === 0 || (texts[index - 1] ?? '') <= text);
  return isSorted ? texts : [...texts].sort(compareText);
}

/** Index of the first text that does not sort before `wanted`. */
function lowerBound(texts: readonly string[], wanted: string): number {
  let low = 0;
  let high = texts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((texts[middle] ?? '') < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
