/** Second pass over a layer: reads the targets of wanted hard links, which went by unread in the first. */
import { BufferSink, copyToKeep } from './file-content.ts';
import type { LayerContents } from './layer-contents.ts';
import type { LayerIssues } from './layer-issues.ts';
import { normalizePath, resolveSymlink } from './layer-path.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { TarEntry, TarHandler, TarSink } from './tar-reader.ts';
import type { WantedFile } from './wanted-files.ts';

/** What stands at a target when a link to it is met. */
type Target =
  | { readonly kind: 'content'; readonly content: Buffer }
  | { readonly kind: 'symlink'; readonly link: string }
  | { readonly kind: 'unread'; readonly size: number; readonly isTooLarge: boolean };

export class HardLinkPass implements TarHandler {
  readonly #contents: LayerContents;
  readonly #budget: MemoryBudget;
  /** Wanted hard links by their own path. */
  readonly #links: ReadonlyMap<string, WantedFile>;
  /** Links that still wait for each target, and the most bytes that any of their catalogers reads. */
  readonly #waiting = new Map<string, { readonly paths: Set<string>; maxBytes: number }>();
  readonly #targets = new Map<string, Target | undefined>();
  readonly #outcomes = new Map<string, Target>();

  constructor(contents: LayerContents, budget: MemoryBudget, links: readonly WantedFile[]) {
    this.#contents = contents;
    this.#budget = budget;
    this.#links = new Map(links.map((link) => [link.path, link]));
    for (const { path, target, wanters } of links) {
      if (target === undefined) continue;
      const waiting = this.#waiting.get(target) ?? { paths: new Set(), maxBytes: 0 };
      waiting.paths.add(path);
      for (const { cataloger } of wanters)
        waiting.maxBytes = Math.max(waiting.maxBytes, cataloger.maxFileBytes);
      this.#waiting.set(target, waiting);
    }
  }

  /** Records what became of the links. A link whose target is not in the layer, or only behind it, stays as it is: it
   *  names a file of a lower layer. */
  finish(issues: LayerIssues): void {
    for (const [path, outcome] of this.#outcomes) {
      const file = this.#links.get(path);
      if (file === undefined) continue;
      file.entry = outcome.kind === 'symlink' ? 'symlink' : 'file';
      file.target = outcome.kind === 'symlink' ? resolveSymlink(path, outcome.link) : undefined;
      if (outcome.kind !== 'unread') continue;
      const detail = `the target of the link has ${outcome.size} bytes, which could not be held or read`;
      file.issues.push(
        issues.create(outcome.isTooLarge ? 'FILE_TOO_LARGE' : 'UNRESOLVED_LINK', detail, path),
      );
    }
  }

  settle(): Promise<void> | undefined {
    return this.#contents.settle();
  }

  entry(entry: TarEntry): TarSink | undefined {
    const path = normalizePath(entry.path);
    if (path === undefined) return undefined;
    if (entry.kind === 'hardlink') {
      this.#takeLink(path, entry.link);
      return undefined;
    }
    const waiting = this.#waiting.get(path);
    if (waiting === undefined) return undefined;
    this.#forget(path);
    if (entry.kind === 'symlink') this.#targets.set(path, { kind: 'symlink', link: entry.link });
    if (entry.kind !== 'file') return undefined;
    const isTooLarge = entry.size > waiting.maxBytes;
    this.#targets.set(path, { kind: 'unread', size: entry.size, isTooLarge });
    if (isTooLarge || !this.#budget.reserve(entry.size)) return undefined;
    return new BufferSink(
      entry.size,
      (content) => this.#targets.set(path, { kind: 'content', content: copyToKeep(content) }),
      () => this.#budget.release(entry.size),
    );
  }

  #takeLink(path: string, link: string): void {
    const file = this.#links.get(path);
    // A path can be linked twice; the first pass kept what the last of them says.
    if (file?.target === undefined || file.link !== link) return;
    const target = this.#targets.get(file.target);
    if (target === undefined) return;
    this.#outcomes.set(path, target);
    if (target.kind === 'content') this.#contents.deliver(file, target.content);
    const waiting = this.#waiting.get(file.target);
    waiting?.paths.delete(path);
    if (waiting?.paths.size === 0) this.#forget(file.target);
  }

  #forget(path: string): void {
    const target = this.#targets.get(path);
    if (target?.kind === 'content') this.#budget.release(target.content.length);
    this.#targets.set(path, undefined);
  }
}
