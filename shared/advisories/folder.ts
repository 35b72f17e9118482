/** Advisories in a folder: synchronised ones, and a plain copy of the OSV bucket. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AdvisoryIndex } from '../domain/advisory.ts';
import { PlimsollError } from '../domain/errors.ts';
import { type IndexStore, type PublishedRevision, publishedRevisionSchema } from './index-store.ts';
import { readManifest, shardPart } from './manifest.ts';
import { indexOfRows } from './memory-index.ts';
import { openIndex } from './open-index.ts';
import type { KeyedRow } from './osv-record.ts';
import type { OsvSource } from './osv-source.ts';
import { openOsvFolder } from './osv-source.ts';
import { baseEcosystem } from './package-names.ts';
import { readBucket } from './read-bucket.ts';

/** The file that names the revision in force; replacing it is what publishes. */
const pointerName = 'plimsoll-advisories.json';
const maxPointerBytes = 64 * 1024;
/** How long parts that nothing names are left: a reader or another synchronisation may be under way. */
const pruneAfterMs = 24 * 60 * 60 * 1000;

/** Parts of an index as files. A part appears whole or not at all. */
export function folderStore(folder: string): IndexStore {
  return {
    read: async (name, maxBytes) => {
      const path = join(folder, name);
      const size = await sizeOf(path);
      if (size === undefined) return undefined;
      if (size > maxBytes)
        throw new PlimsollError('TOO_LARGE', `${path}: expected at most ${maxBytes} bytes, found ${size}`);
      return readFile(path);
    },
    createOnce: async (name, bytes) => {
      const path = join(folder, name);
      // What a disk has spoiled is written again.
      if ((await sizeOf(path)) === bytes.byteLength && (await readFile(path)).equals(bytes)) {
        // Used again, so it is young again for pruneAdvisoryFolder.
        await utimes(path, new Date(), new Date());
        return false;
      }
      await writeWhole(path, bytes);
      return true;
    },
  };
}

/** The revision in force in a synchronised folder; undefined where nothing was synchronised. Throws ADVISORIES_INVALID. */
export async function readPublished(folder: string): Promise<PublishedRevision | undefined> {
  const path = join(folder, pointerName);
  const size = await sizeOf(path);
  if (size === undefined) return undefined;
  const invalid = (cause?: unknown): PlimsollError =>
    new PlimsollError(
      'ADVISORIES_INVALID',
      `${path}: expected what a synchronisation writes, found another form`,
      { cause },
    );
  if (size > maxPointerBytes) throw invalid();
  try {
    const parsed = publishedRevisionSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    if (parsed.success) return parsed.data;
    throw invalid(parsed.error);
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(error);
    throw error;
  }
}

/** Puts a revision in force. A kill before or after leaves the old or the new one, never neither. */
export async function writePublished(folder: string, published: PublishedRevision): Promise<void> {
  await writeWhole(join(folder, pointerName), Buffer.from(`${JSON.stringify(published, undefined, 2)}\n`));
}

/** Removes parts that none of the revisions names and that are older than a day. */
export async function pruneAdvisoryFolder(
  folder: string,
  revisions: readonly PublishedRevision[],
  now: Date,
): Promise<void> {
  const store = folderStore(folder);
  const named = new Set<string>();
  for (const { manifest: name } of revisions) {
    const manifest = await readManifest(store, name);
    named.add(name);
    for (const part of [manifest.changes, manifest.cveRatings]) if (part !== undefined) named.add(part);
    for (const { modified } of manifest.folders) if (modified !== undefined) named.add(modified);
    for (const { shards } of manifest.ecosystems) for (const shard of shards) named.add(shardPart(shard));
  }
  for (const kind of ['changes', 'manifests', 'ratings', 'records', 'shards']) {
    for (const file of await filesOf(join(folder, kind))) {
      const path = join(folder, kind, file);
      if (named.has(`${kind}/${file}`) || now.getTime() - (await stat(path)).mtimeMs < pruneAfterMs) continue;
      await rm(path, { force: true });
    }
  }
}

/**
 * Opens a synchronised folder or a plain copy of the bucket, of which only the needed ecosystems are read. Throws
 * ADVISORIES_MISSING, which names the command to run, where the folder is neither.
 */
export async function openAdvisoryFolder(
  folder: string,
  neededEcosystems: readonly string[],
  now: Date = new Date(),
): Promise<AdvisoryIndex> {
  const published = await readPublished(folder);
  if (published !== undefined) return openIndex(folderStore(folder), published);
  const source = openOsvFolder(folder);
  try {
    return await openBucketFolder(source, neededEcosystems, now);
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code !== 'ADVISORIES_MISSING') throw error;
    throw new PlimsollError(
      'ADVISORIES_MISSING',
      `${folder}: expected synchronised advisories or a copy of the OSV bucket, found neither; run plimsoll advisories sync --to ${folder}`,
      { cause: error },
    );
  }
}

/** Reads the needed ecosystems (with suffix, `Debian:12`) of a copy of the bucket into memory. One that the copy does
 *  not have is not covered. */
export async function openBucketFolder(
  source: OsvSource,
  neededEcosystems: readonly string[],
  now: Date,
): Promise<AdvisoryIndex> {
  const offered = new Set(await source.ecosystems());
  const needed = new Set(neededEcosystems);
  const ecosystems = [...new Set(neededEcosystems.map(baseEcosystem))]
    .filter((name) => offered.has(name))
    .sort();
  const reading = readBucket(source, { ecosystems, now });
  const rows: KeyedRow[] = [];
  for await (const keyed of reading.rows) {
    if (needed.has(keyed.key.slice(0, keyed.key.indexOf('|')))) rows.push(keyed);
  }
  // How old the copy is says its whole list, not the few ecosystems that were read.
  return indexOfRows(rows, (await source.newestModified(now)) ?? reading.newestAt());
}

/** Writes beside and renames, so that the name never stands for half a file. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.new`;
  await writeFile(temporary, bytes, { flush: true });
  await rename(temporary, path);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function filesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
