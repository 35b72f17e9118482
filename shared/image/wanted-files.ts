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
    const node = this.#nodeFor(file.path);
    if (node === undefined || !this.#pay(node, costOf(file))) return false;
    for (let child = file.path, below = node; child !== '' && !below.isLinked; ) {
      const directory = directoryOf(child);
      const above = this.#nodeFor(directory);
      // What is linked so far stays: a later path below it goes on from there.
      if (above === undefined) return false;
      above.children.push(child);
      below.isLinked = true;
      child = directory;
      below = above;
    }
    node.file = file;
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

  /** The node of the path, made where there is none; undefined where memory does not suffice for that. */
  #nodeFor(path: string): PathNode | undefined {
    const known = this.#nodes.get(path);
    if (known !== undefined) return known;
    if (!this.#budget.reserve(nodeCostBytes)) return undefined;
    const node: PathNode = { file: undefined, children: [], isLinked: false, paidBytes: 0 };
    this.#nodes.set(path, node);
    return node;
  }

  /** What was paid once for a path is not given back: it may come again at no cost, but not larger. */
  #pay(node: PathNode, bytes: number): boolean {
    const missing = bytes - node.paidBytes;
    if (missing <= 0) return true;
    if (!this.#budget.reserve(missing)) return false;
    node.paidBytes = bytes;
    return true;
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
        const child = this.#nodes.get(path);
        if (child === undefined) continue;
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
  /** What was reserved for the file beside the node itself. */
  paidBytes: number;
}

/** About what V8 holds for one wanted file and its rows in the inventory, twice: it lets garbage grow to the size of
 *  what lives. */
function costOf({ path, link, target, wanters }: WantedFile): number {
  return 2 * (1200 + 2 * path.length + link.length + (target?.length ?? 0) + 400 * wanters.length);
}

/** The same for a node and its place among its directory's children; a path of 4,096 bytes has two thousand of them. */
const nodeCostBytes = 500;
