/** Where the files of a tar archive lie, found in one pass over its headers. */
import { createHash } from 'node:crypto';
import { type Digest, requireDigest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import {
  decodePath,
  hasValidChecksum,
  readHeader,
  readLinkName,
  readName,
  tarBlockBytes,
} from './tar-header.ts';
import { type PaxFields, parsePax } from './tar-pax.ts';

/** Reads an archive from its start; offsets count uncompressed bytes. */
export interface ArchiveCursor {
  /** Exactly so many bytes, fewer at the end of the archive. */
  read(length: number): Promise<Buffer>;
  /** Passes over so many bytes. Where they have to be read for that, `visit` sees them; else it is not called. */
  skip(length: number, visit?: (bytes: Uint8Array) => void): Promise<void>;
}

export interface ArchiveEntry {
  readonly offset: number;
  readonly size: number;
  /** Digest of the content, where the pass had to read it anyway. */
  readonly digest?: Digest;
  /** The content of a small file, where the pass had to read it anyway. */
  readonly content?: Uint8Array;
}

/** Files by path, links resolved: a name that is missing here is not in the archive. */
export interface ArchiveIndex {
  find(path: string): ArchiveEntry | undefined;
}

/** Most entries: an image of 1,000 layers as `docker save` writes it has some 5,000. */
export const maxArchiveEntries = 100_000;
/** Most bytes of one extended header. */
const maxExtendedBytes = 1024 * 1024;
/** Most bytes of a file, and of all files together, whose content is kept: manifests and configs. */
const maxKeptFileBytes = 256 * 1024;
const maxKeptBytes = 16 * 1024 * 1024;
/** Longest path that is kept, in characters, and most links from one to the next. */
const maxPathLength = 4_096;
const maxLinkHops = 8;

/** Where one path comes twice the last one counts, as when the archive is unpacked. Throws INVALID_INPUT where the
 *  archive is broken or has more than maxArchiveEntries. `name` is for messages. */
export async function indexArchive(cursor: ArchiveCursor, name: string): Promise<ArchiveIndex> {
  const files = new Map<string, ArchiveEntry>();
  const links = new Map<string, string>();
  const extended: ExtendedFields = { global: {}, next: {} };
  let offset = 0;
  let keptBytes = 0;
  for (let count = 0; count <= maxArchiveEntries; count++) {
    const block = await cursor.read(tarBlockBytes);
    offset += block.byteLength;
    if (block.byteLength === 0 || isZero(block)) return { find: (path) => resolve(path, files, links) };
    if (block.byteLength < tarBlockBytes || !hasValidChecksum(block)) {
      throw broken(name, `no tar header before byte ${offset}`);
    }
    const { type, size: ownSize } = readHeader(block);
    const { global, next } = extended;
    const size = next.size ?? ownSize;
    if (size === undefined) throw broken(name, `a size that is no number before byte ${offset}`);
    const paddingBytes = (tarBlockBytes - (size % tarBlockBytes)) % tarBlockBytes;
    if ('xgLK'.includes(type)) {
      if (size > maxExtendedBytes) throw broken(name, `a header of ${size} bytes before byte ${offset}`);
      const data = await cursor.read(size);
      if (data.byteLength < size || !addExtended(extended, type, data)) {
        throw broken(name, `an ill-formed header after byte ${offset}`);
      }
    } else {
      extended.next = {};
      const path = normalise(next.path ?? global.path ?? readName(block));
      const target = next.linkpath ?? global.linkpath ?? readLinkName(block);
      const entry = await passOver(cursor, { offset, size }, keptBytes < maxKeptBytes);
      if (path === undefined) {
        // Leads out of the archive, so nothing in it can mean this entry.
      } else if (fileTypes.has(type)) {
        keptBytes += entry.content?.byteLength ?? 0;
        files.set(path, entry);
        links.delete(path);
      } else if (type === hardLink || type === symbolicLink) {
        const linked = type === hardLink ? normalise(target) : beside(path, target);
        if (linked !== undefined) links.set(path, linked);
        files.delete(path);
      }
    }
    await cursor.skip(paddingBytes);
    offset += size + paddingBytes;
  }
  throw broken(name, `more than ${maxArchiveEntries} entries`);
}

/** Type flags (POSIX.1-2024, pax, "ustar Interchange Format"): regular, regular of old archives, contiguous. */
const fileTypes: ReadonlySet<string> = new Set(['0', '\0', '7']);
const hardLink = '1';
const symbolicLink = '2';

/** What extended headers say of all further entries and of the next one. */
interface ExtendedFields {
  global: PaxFields;
  next: PaxFields;
}

/** False where the header is ill-formed. */
function addExtended(fields: ExtendedFields, type: string, data: Buffer): boolean {
  if (type === 'L' || type === 'K') {
    const text = decodePath(data).replace(/\0+$/, '');
    fields.next = { ...fields.next, ...(type === 'L' ? { path: text } : { linkpath: text }) };
    return true;
  }
  const parsed = parsePax(data, type === 'g' ? fields.global : { ...fields.global, ...fields.next });
  if (parsed === undefined) return false;
  if (type === 'g') fields.global = parsed;
  else fields.next = parsed;
  return true;
}

/** A cursor that has to read what it skips gives the digest for nothing, and saves another pass over the archive. */
async function passOver(cursor: ArchiveCursor, entry: ArchiveEntry, keeps: boolean): Promise<ArchiveEntry> {
  const hash = createHash('sha256');
  const chunks: Uint8Array[] = [];
  let seenBytes = 0;
  await cursor.skip(entry.size, (bytes) => {
    hash.update(bytes);
    seenBytes += bytes.byteLength;
    if (keeps && entry.size <= maxKeptFileBytes) chunks.push(Uint8Array.from(bytes));
  });
  if (seenBytes < entry.size || entry.size === 0) return entry;
  const digest = requireDigest(`sha256:${hash.digest('hex')}`, 'archive');
  return { ...entry, digest, ...(chunks.length === 0 ? {} : { content: Buffer.concat(chunks) }) };
}

/** Looked up in the index alone, so a link can't lead anywhere else. */
function resolve(
  path: string,
  files: ReadonlyMap<string, ArchiveEntry>,
  links: ReadonlyMap<string, string>,
): ArchiveEntry | undefined {
  let at: string | undefined = normalise(path);
  for (let hops = 0; hops <= maxLinkHops && at !== undefined; hops++) {
    const file = files.get(at);
    if (file !== undefined) return file;
    at = links.get(at);
  }
  return undefined;
}

/** Where a symbolic link at `path` points; an absolute one points out of the archive. */
function beside(path: string, target: string): string | undefined {
  return target.startsWith('/') ? undefined : normalise(`${path}/../${target}`);
}

/** Without `.`, `..` and outer slashes; undefined where it would lead above the archive or is too long. */
function normalise(path: string): string | undefined {
  if (path.length > maxPathLength) return undefined;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function broken(name: string, found: string): PlimsollError {
  return new PlimsollError('INVALID_INPUT', `${name}: expected a tar archive, found ${found}`);
}
