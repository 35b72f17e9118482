/** Reads one layer as a stream and tells what it holds: an inventory that is a function of the bytes and the analyzers. */
import { createHash } from 'node:crypto';
import { compareText } from '../base/text-order.ts';
import type { Cataloger } from '../catalogers/contract.ts';
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import type {
  Analyzer,
  CatalogedFile,
  CatalogedGroup,
  LayerInventory,
  LayerReading,
} from '../domain/inventory.ts';
import type { Claim } from '../domain/package.ts';
import { type ArchivePass, readArchive } from './archive-pass.ts';
import { HardLinkPass } from './hard-links.ts';
import { LayerContents } from './layer-contents.ts';
import { LayerIssues } from './layer-issues.ts';
import { defaultLayerLimits, type LayerLimits } from './limits.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { WantedFile } from './wanted-files.ts';

export interface ReadLayerOptions {
  /** Digest of the compressed bytes that the manifest names. */
  readonly layerDigest: Digest;
  readonly catalogers: readonly Cataloger[];
  /** Overrides of defaultLayerLimits. */
  readonly limits?: Partial<LayerLimits>;
  readonly onProgress?: (compressedBytes: number) => void;
  /** Opens the same bytes again; used at most once, for a wanted hard link whose target went by unread. */
  readonly reopen?: () => Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Reads the bytes to their end, whatever is wrong with them: a broken archive, a limit, an unsafe path is a coverage
 * issue of the inventory. Throws DIGEST_MISMATCH where the bytes are not those of `layerDigest`, TOO_LARGE past
 * maxLayerCompressedBytes, UNSUPPORTED_RUNTIME for zstd on a Node without it, and what the source throws.
 */
export async function readLayer(
  bytes: AsyncIterable<Uint8Array>,
  options: ReadLayerOptions,
): Promise<LayerReading> {
  const limits = { ...defaultLayerLimits, ...options.limits };
  const budget = new MemoryBudget(limits.maxMemoryBytes);
  const issues = new LayerIssues(options.layerDigest, limits.maxIssuesPerCode);
  const contents = new LayerContents({ catalogers: options.catalogers, limits, budget, issues });
  const pass = await readArchive(bytes, contents, { limits, budget, onProgress: options.onProgress });
  requireDigest(pass, options.layerDigest);
  for (const problem of pass.problems) issues.add(issues.create(problem.code, problem.detail));
  const leafPaths = contents.leafPaths();
  const links = findLinksWithin(contents.wantedFiles(), leafPaths);
  if (links.length > 0) {
    const linkPass = new HardLinkPass(contents, budget, links);
    await readLinks(linkPass, links, options, limits, budget, issues);
  }
  await contents.finishGroups();
  return { inventory: assemble(pass, contents, issues, options), leafPaths };
}

/** 16 hex digits that name a set of analyzers, whatever their order: a part of an inventory's blob name. */
export function analyzersHash(analyzers: readonly Analyzer[]): string {
  const rows = sortAnalyzers(analyzers).map(({ name, version }) => [name, version]);
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 16);
}

/** Reads the layer once more for the links' targets; without a way to open it again each link is an issue. */
async function readLinks(
  linkPass: HardLinkPass,
  links: readonly WantedFile[],
  options: ReadLayerOptions,
  limits: LayerLimits,
  budget: MemoryBudget,
  issues: LayerIssues,
): Promise<void> {
  if (options.reopen === undefined) {
    for (const link of links) {
      const detail = `the link's target ${link.target} lies in this layer, which could not be read a second time`;
      link.issues.push(issues.create('UNRESOLVED_LINK', detail, link.path));
    }
    return;
  }
  // Other bytes could come this time: they are verified like the first ones before anything is made of them.
  const pass = await readArchive(await options.reopen(), linkPass, { limits, budget });
  requireDigest(pass, options.layerDigest);
  linkPass.finish(issues);
}

function requireDigest(pass: ArchivePass, expected: Digest): void {
  if (pass.digest === expected) return;
  throw new PlimsollError(
    'DIGEST_MISMATCH',
    `layer: expected bytes of ${expected}, found ${pass.digest}; the registry or the transfer changed them, pull again`,
  );
}

/** Wanted hard links whose target is a path of this layer. */
function findLinksWithin(files: readonly WantedFile[], leafPaths: readonly string[]): WantedFile[] {
  const links = files.filter((file) => file.entry === 'hardlink' && file.target !== undefined);
  if (links.length === 0) return [];
  const targets = new Set(links.map((link) => link.target));
  const present = new Set(leafPaths.filter((path) => targets.has(path)));
  return links.filter((link) => present.has(link.target ?? ''));
}

function assemble(
  pass: ArchivePass,
  contents: LayerContents,
  issues: LayerIssues,
  options: ReadLayerOptions,
): LayerInventory {
  const files: CatalogedFile[] = [];
  const groups = new Map<string, { cataloger: string; group: string; claims: Claim[] }>();
  for (const file of contents.wantedFiles()) {
    for (const issue of file.issues) issues.add(issue);
    for (const { cataloger, group } of file.wanters) {
      const row = { path: file.path, cataloger: cataloger.name, group, entry: file.entry };
      files.push(file.target === undefined ? row : { ...row, target: file.target });
    }
    for (const { wanter, claims } of file.results) {
      const { cataloger, group } = wanter;
      const key = `${cataloger.name}\0${group}`;
      const known = groups.get(key);
      if (known === undefined) groups.set(key, { cataloger: cataloger.name, group, claims });
      else for (const claim of claims) known.claims.push(claim);
    }
  }
  return {
    schema: 1,
    layerDigest: options.layerDigest,
    diffId: pass.diffId,
    compressedBytes: pass.compressedBytes,
    uncompressedBytes: pass.uncompressedBytes,
    entryCount: pass.entryCount,
    compression: pass.compression,
    analyzers: sortAnalyzers(options.catalogers),
    files: files.sort(compareFiles),
    groups: [...groups.values()].sort(compareGroups),
    whiteouts: contents.whiteouts(),
    opaqueDirectories: contents.opaqueDirectories(),
    wantedDirectories: contents.wantedDirectories(),
    issues: issues.list(),
  };
}

function compareFiles(a: CatalogedFile, b: CatalogedFile): number {
  return (
    compareText(a.path, b.path) || compareText(a.cataloger, b.cataloger) || compareText(a.group, b.group)
  );
}

function compareGroups(a: CatalogedGroup, b: CatalogedGroup): number {
  return compareText(a.cataloger, b.cataloger) || compareText(a.group, b.group);
}

/** Names and versions alone, sorted by name. */
function sortAnalyzers(analyzers: readonly Analyzer[]): Analyzer[] {
  return analyzers
    .map(({ name, version }) => ({ name, version }))
    .sort((a, b) => compareText(a.name, b.name) || a.version - b.version);
}
