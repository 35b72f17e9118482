/** The wanted paths of an image while its layers are stacked: what each path holds and since which layer. */
import { compareText } from '../base/text-order.ts';
import type { CatalogedFile, LayerInventory } from '../domain/inventory.ts';
import type { Claim, PackageClaim } from '../domain/package.ts';

/** What a path holds after a layer was applied. */
export interface PathState {
  readonly path: string;
  readonly claims: readonly Claim[];
  /** For each claim the index of the layer from which it has been there without interruption. */
  readonly since: readonly number[];
  /** Index of the layer that put the entry there. */
  readonly layer: number;
  /** Where a symbolic link leads, as a path in the image. */
  readonly linkTarget?: string;
  /** Target of a hard link that no layer so far holds as a wanted path. */
  readonly missingTarget?: string;
}

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
    const paths = new Set(inventories.flatMap((inventory) => inventory.files.map((file) => file.path)));
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
    const claims = claimsByPath(inventory);
    // A path that several catalogers want is listed once for each.
    const files = new Map(inventory.files.map((file) => [file.path, file]));
    const links = new Map<string, CatalogedFile>();
    for (const file of files.values()) {
      if (file.entry === 'hardlink') links.set(file.path, file);
      else this.#put(layer, file, claims.get(file.path) ?? [], replaced);
    }
    for (const file of targetsFirst(links)) this.#putHardLink(layer, file, replaced);
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

  #put(
    layer: number,
    file: CatalogedFile,
    claims: readonly Claim[],
    replaced: ReadonlyMap<number, PathState>,
    missingTarget?: string,
  ): void {
    const index = this.#indexOf.get(file.path);
    if (index === undefined) return;
    const before = this.#states[index] ?? replaced.get(index);
    if (this.#states[index] === undefined) this.#heldCount += 1;
    this.#states[index] = {
      path: file.path,
      claims,
      since: sinceLayers(claims, before, layer),
      layer,
      ...(file.entry === 'symlink' ? { linkTarget: file.target ?? '' } : {}),
      ...(missingTarget === undefined ? {} : { missingTarget }),
    };
  }

  /** A hard link names what its target held at that moment: in the same layer, else in a lower one. */
  #putHardLink(layer: number, file: CatalogedFile, replaced: ReadonlyMap<number, PathState>): void {
    const target = file.target === undefined ? undefined : this.at(file.target);
    if (target === undefined) {
      this.#put(layer, file, [], replaced, file.target ?? '');
    } else if (target.linkTarget !== undefined) {
      this.#put(layer, { ...file, entry: 'symlink', target: target.linkTarget }, [], replaced);
    } else {
      this.#put(layer, file, target.claims, replaced, target.missingTarget);
    }
  }
}

/** Names a package among the claims of one path. */
export function packageIdentity(claim: PackageClaim): string {
  return JSON.stringify([claim.type, claim.name, claim.version, claim.architecture ?? null]);
}

/** Hard links so ordered that one to another link comes after it. A circle, which no archive can mean, breaks anywhere. */
function targetsFirst(links: ReadonlyMap<string, CatalogedFile>): readonly CatalogedFile[] {
  const ordered = new Set<CatalogedFile>();
  for (const start of links.values()) {
    const chain: CatalogedFile[] = [];
    const seen = new Set<CatalogedFile>();
    for (
      let link: CatalogedFile | undefined = start;
      link !== undefined && !ordered.has(link) && !seen.has(link);
      link = links.get(link.target ?? '')
    ) {
      seen.add(link);
      chain.push(link);
    }
    for (const link of chain.reverse()) ordered.add(link);
  }
  return [...ordered];
}

function claimsByPath(inventory: LayerInventory): ReadonlyMap<string, readonly Claim[]> {
  const claims = new Map<string, Claim[]>();
  for (const group of inventory.groups) {
    for (const claim of group.claims) {
      if (claim.kind === 'owned-files') continue;
      const list = claims.get(claim.path);
      if (list === undefined) claims.set(claim.path, [claim]);
      else list.push(claim);
    }
  }
  return claims;
}

/** A package that the path declared before keeps its layer, also where its file was written anew. */
function sinceLayers(claims: readonly Claim[], before: PathState | undefined, layer: number): number[] {
  if (before === undefined) return claims.map(() => layer);
  const earlier = new Map<string, number>();
  before.claims.forEach((claim, index) => {
    if (claim.kind === 'package') earlier.set(packageIdentity(claim), before.since[index] ?? layer);
  });
  return claims.map((claim) =>
    claim.kind === 'package' ? (earlier.get(packageIdentity(claim)) ?? layer) : layer,
  );
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
