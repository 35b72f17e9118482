/** Collects what a layer holds while its archive is read: paths, whiteouts, wanted files and what they declare. */
import type { Cataloger } from '../catalogers/contract.ts';
import type { CoverageCode } from '../domain/coverage.ts';
import type { Claim } from '../domain/package.ts';
import { CatalogRun, type ClaimTaker } from './catalog-run.ts';
import { BufferedFile, BufferSink, copyToKeep, StreamedFile } from './file-content.ts';
import type { LayerIssues } from './layer-issues.ts';
import { isEstargzMetadata, normalizePath, readWhiteout, resolveSymlink } from './layer-path.ts';
import type { LayerLimits } from './limits.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { TarEntry, TarHandler, TarSink } from './tar-reader.ts';
import { type WantedFile, WantedFiles, type Wanter } from './wanted-files.ts';

export interface LayerContentsOptions {
  readonly catalogers: readonly Cataloger[];
  readonly limits: LayerLimits;
  readonly budget: MemoryBudget;
  readonly issues: LayerIssues;
}

/** A file larger than this is read while it comes, if only one cataloger wants it; smaller ones cost less at once. */
const minStreamedBytes = 256 * 1024;

export class LayerContents implements TarHandler {
  readonly #options: LayerContentsOptions;
  readonly #run: CatalogRun;
  readonly #wanted: WantedFiles;
  readonly #leafPaths: string[] = [];
  readonly #whiteouts: string[] = [];
  readonly #opaqueDirectories: string[] = [];
  readonly #wantedDirectories: string[] = [];
  /** Path of each hard link and where it leads in the end; a link to a link is resolved when it is met. */
  readonly #links = new Map<string, string | undefined>();
  #isPathListFull = false;

  constructor(options: LayerContentsOptions) {
    this.#options = options;
    this.#run = new CatalogRun(options.limits.maxClaimBytes);
    this.#wanted = new WantedFiles(options.budget);
  }

  /** Every path that was no directory at some time, sorted. */
  leafPaths(): string[] {
    return sortedUnique(this.#leafPaths);
  }

  whiteouts(): string[] {
    return sortedUnique(this.#whiteouts);
  }

  opaqueDirectories(): string[] {
    return sortedUnique(this.#opaqueDirectories);
  }

  /** Wanted paths that were a directory at some time, sorted: a lower file there is gone. */
  wantedDirectories(): string[] {
    return sortedUnique(this.#wantedDirectories);
  }

  /** The wanted paths as the layer leaves them, sorted. */
  wantedFiles(): WantedFile[] {
    return this.#wanted.list();
  }

  /** Resolves once what has come is cataloged; undefined where that is so already. */
  settle(): Promise<void> | undefined {
    return this.#run.settle();
  }

  entry(entry: TarEntry): TarSink | undefined {
    const path = this.#safePath(entry);
    if (path === undefined) return undefined;
    if (path === '' || isEstargzMetadata(path) || this.#takeWhiteout(path)) return undefined;
    const isDirectory = entry.kind === 'directory';
    if (!isDirectory && entry.kind !== 'unknown') this.#keepPath(this.#leafPaths, path);
    this.#wanted.supersede(path, isDirectory);
    const target = this.#linkTarget(entry, path);
    const wanters = this.#wantersOf(path);
    if (wanters === undefined) return undefined;
    if (!isDirectory) return this.#takeWanted(entry, path, wanters, target);
    this.#keepPath(this.#wantedDirectories, path);
    return undefined;
  }

  /** Hands a wanted file's whole content to its catalogers, or holds it where its group is read at the end. */
  deliver(file: WantedFile, content: Buffer): void {
    for (const wanter of file.wanters) {
      if (content.length > wanter.cataloger.maxFileBytes) {
        this.#tooLarge(file, wanter, content.length);
      } else if (wanter.cataloger.grouped !== true) {
        const buffered = new BufferedFile(file.path, file.mode, content);
        this.#run.add(wanter.cataloger, [buffered], this.#takerOf(file, wanter));
      } else if (file.held === undefined) {
        if (this.#options.budget.reserve(content.length)) file.held = copyToKeep(content);
        else this.#outOfMemory(file);
      }
    }
  }

  /** Reads the groups whose files were held until now. */
  async finishGroups(): Promise<void> {
    const groups = new Map<string, { readonly wanter: Wanter; readonly files: WantedFile[] }>();
    for (const file of this.#wanted.list()) {
      if (file.held === undefined) continue;
      for (const wanter of file.wanters) {
        if (wanter.cataloger.grouped !== true || file.held.length > wanter.cataloger.maxFileBytes) continue;
        const key = JSON.stringify([wanter.cataloger.name, wanter.group]);
        const group = groups.get(key) ?? { wanter, files: [] };
        group.files.push(file);
        groups.set(key, group);
      }
    }
    for (const { wanter, files } of groups.values()) {
      const [first] = files;
      if (first === undefined) continue;
      const held = files.map((file) => new BufferedFile(file.path, file.mode, file.held ?? Buffer.alloc(0)));
      const own = first.wanters.find((other) => other.cataloger === wanter.cataloger) ?? wanter;
      this.#run.add(wanter.cataloger, held, this.#takerOf(first, own));
    }
    await this.#run.settle();
  }

  /** The entry's path, or undefined where it is refused: it is an issue then. */
  #safePath(entry: TarEntry): string | undefined {
    const { maxPathBytes } = this.#options.limits;
    const isLong = entry.path.length * 3 > maxPathBytes && Buffer.byteLength(entry.path) > maxPathBytes;
    const path = isLong ? undefined : normalizePath(entry.path);
    if (isLong)
      this.#unsafe(entry.path, `expected a path of at most ${maxPathBytes} bytes; the entry was skipped`);
    else if (path === undefined)
      this.#unsafe(entry.path, 'the path holds .. or a NUL; the entry was skipped');
    else if (path === '' && entry.kind !== 'directory') {
      this.#unsafe(entry.path, 'expected a directory at the root; the entry was skipped');
    }
    return path;
  }

  #takeWhiteout(path: string): boolean {
    const whiteout = readWhiteout(path);
    if (whiteout?.kind === 'removes') this.#keepPath(this.#whiteouts, whiteout.path);
    else if (whiteout?.kind === 'opaque') this.#keepPath(this.#opaqueDirectories, whiteout.directory);
    else if (whiteout?.kind === 'invalid') {
      this.#unsafe(path, 'a whiteout must name something beside it; the entry was skipped');
    }
    return whiteout !== undefined;
  }

  #linkTarget(entry: TarEntry, path: string): string | undefined {
    const { maxPathBytes } = this.#options.limits;
    const isLink = entry.kind === 'hardlink' || entry.kind === 'symlink';
    if (isLink && Buffer.byteLength(entry.link) > maxPathBytes) return undefined;
    if (entry.kind === 'symlink') return resolveSymlink(path, entry.link);
    if (this.#links.has(path)) this.#links.set(path, undefined);
    if (entry.kind !== 'hardlink') return undefined;
    const named = normalizePath(entry.link);
    if (named === undefined || named === '') return undefined;
    const target = this.#links.get(named) ?? named;
    if (this.#options.budget.reserve(2 * (path.length + target.length) + linkCostBytes))
      this.#links.set(path, target);
    else this.#pathListFull();
    return target;
  }

  #wantersOf(path: string): Wanter[] | undefined {
    let wanters: Wanter[] | undefined;
    for (const cataloger of this.#options.catalogers) {
      const group = cataloger.wants(path);
      if (group === undefined) continue;
      wanters ??= [];
      wanters.push({ cataloger, group });
    }
    return wanters;
  }

  #takeWanted(
    entry: TarEntry,
    path: string,
    wanters: readonly Wanter[],
    target: string | undefined,
  ): TarSink | undefined {
    const file: WantedFile = {
      path,
      mode: entry.mode,
      wanters,
      link: entry.link,
      entry: entryOf(entry),
      target,
      held: undefined,
      results: [],
      issues: [],
    };
    if (!this.#wanted.add(file)) {
      this.#outOfMemory(file);
      for (const issue of file.issues) this.#options.issues.add(issue);
      return undefined;
    }
    if (path.includes('\ufffd')) {
      this.#issue(
        file,
        'UNSAFE_PATH',
        path,
        'the path is no UTF-8; its other bytes are shown as U+FFFD and two digits',
      );
    }
    if (entry.kind === 'file') return this.#openFile(entry, file);
    if (entry.kind === 'unknown' || entry.kind === 'device') {
      const found = entry.kind === 'device' ? 'a device or a pipe' : 'an entry of an unknown type';
      this.#issue(file, 'UNREADABLE_FILE', path, `expected a file, found ${found}`);
    } else if (target === undefined && (entry.kind === 'hardlink' || entry.kind === 'symlink')) {
      this.#issue(
        file,
        'UNSAFE_PATH',
        path,
        'the target of the link is empty, too long, or holds .. or a NUL',
      );
    }
    return undefined;
  }

  #openFile(entry: TarEntry, file: WantedFile): TarSink | undefined {
    const { budget } = this.#options;
    const readers = file.wanters.filter((wanter) => entry.size <= wanter.cataloger.maxFileBytes);
    const [first] = readers;
    if (first === undefined) {
      for (const wanter of file.wanters) this.#tooLarge(file, wanter, entry.size);
      return undefined;
    }
    if (file.wanters.length === 1 && first.cataloger.grouped !== true && entry.size > minStreamedBytes) {
      const streamed = new StreamedFile(file.path, file.mode, entry.size);
      this.#run.addStreamed(first.cataloger, streamed, this.#takerOf(file, first));
      return streamed;
    }
    if (!budget.reserve(entry.size)) {
      this.#outOfMemory(file);
      return undefined;
    }
    const release = () => budget.release(entry.size);
    return new BufferSink(
      entry.size,
      (content) => {
        release();
        this.deliver(file, content);
      },
      (reason) => {
        release();
        this.#issue(file, 'UNREADABLE_FILE', file.path, reason);
      },
    );
  }

  #takerOf(file: WantedFile, wanter: Wanter): ClaimTaker {
    const known = file.results.findIndex((result) => result.wanter === wanter);
    if (known >= 0) file.results.splice(known, 1);
    let claims: Claim[] | undefined;
    return {
      claim: (claim) => {
        if (claims === undefined) {
          claims = [];
          file.results.push({ wanter, claims });
        }
        claims.push(claim);
      },
      issue: (code, path, detail) => this.#issue(file, code, path, detail),
    };
  }

  #keepPath(list: string[], path: string): void {
    if (this.#options.budget.reserve(2 * path.length + pathCostBytes)) list.push(path);
    else this.#pathListFull();
  }

  #pathListFull(): void {
    if (this.#isPathListFull) return;
    this.#isPathListFull = true;
    const detail = `the paths of the layer need more than ${this.#options.limits.maxMemoryBytes} bytes (maxMemoryBytes); not all are known`;
    this.#options.issues.add(this.#options.issues.create('LIMIT_MEMORY', detail));
  }

  #unsafe(path: string, detail: string): void {
    this.#options.issues.add(this.#options.issues.create('UNSAFE_PATH', detail, path));
  }

  #outOfMemory(file: WantedFile): void {
    const detail = `reading the layer needs more than ${this.#options.limits.maxMemoryBytes} bytes (maxMemoryBytes); the file was not read`;
    this.#issue(file, 'LIMIT_MEMORY', file.path, detail);
  }

  #tooLarge(file: WantedFile, wanter: Wanter, size: number): void {
    const { name, maxFileBytes } = wanter.cataloger;
    const detail = `${name}: expected at most ${maxFileBytes} bytes, found ${size}; the file was not read`;
    this.#issue(file, 'FILE_TOO_LARGE', file.path, detail);
  }

  #issue(file: WantedFile, code: CoverageCode, path: string, detail: string): void {
    if (file.issues.length < this.#options.limits.maxIssuesPerCode) {
      file.issues.push(this.#options.issues.create(code, detail, path));
    }
  }
}

/** About what V8 holds for a string beside its characters, and its place in a list; twice, as for its characters,
 *  because V8 lets garbage grow to the size of what lives. */
const pathCostBytes = 80;

/** The same for two strings and an entry of a map. */
const linkCostBytes = 240;

function entryOf(entry: TarEntry): WantedFile['entry'] {
  if (entry.kind === 'symlink' || entry.kind === 'hardlink') return entry.kind;
  return 'file';
}

/** Sorts in place: a copy of a million paths would be millions of bytes. */
function sortedUnique(paths: string[]): string[] {
  paths.sort();
  let kept = 0;
  for (const path of paths) {
    if (kept === 0 || path !== paths[kept - 1]) paths[kept++] = path;
  }
  paths.length = kept;
  return paths;
}
