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
  readonly claims: Map<Wanter, Claim[]>;
  readonly issues: CoverageIssue[];
}

/**
 * No key is ever deleted from a map here: V8 keeps deleted entries in their bucket until it rehashes the whole map, so
 * an archive that adds and ends one path again and again beside many others would make each look-up slower.
 */
export class WantedFiles {
  readonly #budget: MemoryBudget;
  readonly #files = new Map<string, WantedFile | undefined>();
  /** For each directory above a wanted path what lies in it: wanted paths and further such directories. Walking it
   *  ends a subtree in the time that making it took, however often a hostile archive does both. */
  readonly #children = new Map<string, Set<string>>();

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** False where memory does not suffice: the file is not kept. */
  add(file: WantedFile): boolean {
    if (!this.#files.has(file.path) && !this.#budget.reserve(costOf(file))) return false;
    this.#files.set(file.path, file);
    for (let child = file.path; child !== ''; child = directoryOf(child)) {
      const directory = directoryOf(child);
      const siblings = this.#children.get(directory);
      if (siblings === undefined) this.#children.set(directory, new Set([child]));
      else if (siblings.has(child)) break;
      else siblings.add(child);
    }
    return true;
  }

  /** An entry stands at the path: what was there before in this layer is gone, and below it too unless it is a
   *  directory. */
  supersede(path: string, isDirectory: boolean): void {
    if (this.#files.size === 0) return;
    this.#remove(path);
    if (!isDirectory && this.#children.has(path)) this.#removeBelow(path);
  }

  /** Sorted by path. */
  list(): WantedFile[] {
    return [...this.#files.values()]
      .filter((file) => file !== undefined)
      .sort((a, b) => compareText(a.path, b.path));
  }

  #remove(path: string): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#files.set(path, undefined);
    if (file.held !== undefined) this.#budget.release(file.held.length);
    file.held = undefined;
  }

  #removeBelow(path: string): void {
    const pending = [path];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const children = this.#children.get(next);
      for (const child of children ?? []) {
        this.#remove(child);
        pending.push(child);
      }
      children?.clear();
    }
  }
}

/** About what V8 holds for one wanted file and its place among its siblings. */
function costOf(file: WantedFile): number {
  return 600 + 2 * file.path.length + 150 * file.wanters.length;
}
