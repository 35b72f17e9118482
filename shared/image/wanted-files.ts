/** The wanted paths of a layer while it is read: the last entry at a path counts, and one above it ends it. */
import { compareText } from '../base/text-order.ts';
import type { Cataloger } from '../catalogers/contract.ts';
import type { CoverageIssue } from '../domain/coverage.ts';
import type { CatalogedFile } from '../domain/inventory.ts';
import type { Claim } from '../domain/package.ts';
import { directoryOf } from './layer-path.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** A cataloger that wants a path, with the group that it named. */
export interface Wanter {
  readonly cataloger: Cataloger;
  readonly group: string;
}

/** The claims that one cataloger made of a file, or of the group that the file is the first of. */
export interface WantedResult {
  readonly wanter: Wanter;
  readonly claims: Claim[];
}

/** What is known of one wanted path. */
export interface WantedFile {
  readonly path: string;
  readonly mode: number;
  readonly wanters: readonly Wanter[];
  /** Where a link points, as the archive writes it. */
  readonly link: string;
  entry: CatalogedFile['entry'];
  target: string | undefined;
  /** Content that is held for grouped catalogers. */
  held: Buffer | undefined;
  /** What each cataloger claimed, once it claimed anything. */
  readonly results: WantedResult[];
  readonly issues: CoverageIssue[];
}

/**
 * No key is ever deleted from a map here: V8 keeps deleted entries in their bucket until it rehashes the whole map, so
 * an archive that adds and ends one path again and again beside many others would make each look-up slower.
 */
export class WantedFiles {
  readonly #budget: MemoryBudget;
  readonly #nodes = new Map<string, PathNode>();

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** False where memory does not suffice: the file is not kept. */
  add(file: WantedFile): boolean {
    const isKnown = this.#nodes.get(file.path)?.isPaidFor === true;
    if (!isKnown && !this.#budget.reserve(costOf(file))) return false;
    const node = this.#nodeAt(file.path);
    node.file = file;
    node.isPaidFor = true;
    for (let child = file.path, below = node; child !== '' && !below.isLinked; ) {
      const directory = directoryOf(child);
      const above = this.#nodeAt(directory);
      above.children.push(child);
      below.isLinked = true;
      child = directory;
      below = above;
    }
    return true;
  }

  /** An entry stands at the path: what was there before in this layer is gone, and below it too unless it is a
   *  directory. */
  supersede(path: string, isDirectory: boolean): void {
    const node = this.#nodes.size === 0 ? undefined : this.#nodes.get(path);
    if (node === undefined) return;
    this.#end(node);
    if (!isDirectory) this.#endBelow(node);
  }

  /** Sorted by path. */
  list(): WantedFile[] {
    const files: WantedFile[] = [];
    for (const { file } of this.#nodes.values()) if (file !== undefined) files.push(file);
    return files.sort((a, b) => compareText(a.path, b.path));
  }

  #nodeAt(path: string): PathNode {
    const known = this.#nodes.get(path);
    if (known !== undefined) return known;
    const node: PathNode = { file: undefined, children: [], isLinked: false, isPaidFor: false };
    this.#nodes.set(path, node);
    return node;
  }

  #end(node: PathNode): void {
    const held = node.file?.held;
    if (held !== undefined) this.#budget.release(held.length);
    node.file = undefined;
  }

  #endBelow(top: PathNode): void {
    const pending = [top];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      for (const path of node.children) {
        const child = this.#nodeAt(path);
        child.isLinked = false;
        this.#end(child);
        pending.push(child);
      }
      node.children = [];
    }
  }
}

/** A wanted path or a directory above one. Walking its children ends a subtree in the time that making it took, however
 *  often a hostile archive does both. */
interface PathNode {
  file: WantedFile | undefined;
  children: string[];
  /** Whether it is among its directory's children. */
  isLinked: boolean;
  isPaidFor: boolean;
}

/** About what V8 holds for one wanted file, the directories above it and its rows in the inventory, twice: it lets
 *  garbage grow to the size of what lives. */
function costOf(file: WantedFile): number {
  return 2 * (1700 + 2 * file.path.length + 400 * file.wanters.length);
}
