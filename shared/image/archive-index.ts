/** Where the files of a tar archive lie, found in one pass over its headers. */
import { PlimsollError } from '../domain/errors.ts';
import { hasValidChecksum, readHeader, readLinkName, readName, tarBlockBytes } from './tar-header.ts';
import { type PaxFields, parsePax } from './tar-pax.ts';

/** Reads an archive from its start; offsets count uncompressed bytes. */
export interface ArchiveCursor {
  /** Exactly so many bytes, fewer at the end of the archive. */
  read(length: number): Promise<Buffer>;
  skip(length: number): Promise<void>;
}

export interface ArchiveEntry {
  readonly offset: number;
  readonly size: number;
}

/** Files by path, links resolved: a name that is missing here is not in the archive. */
export interface ArchiveIndex {
  find(path: string): ArchiveEntry | undefined;
}

/** Most entries: an image of 1,000 layers as `docker save` writes it has some 5,000. */
export const maxArchiveEntries = 100_000;
/** Most bytes of one extended header. */
const maxExtendedBytes = 1024 * 1024;
/** Longest path that is kept, in characters, and most links from one to the next. */
const maxPathLength = 4_096;
const maxLinkHops = 8;

/** Where one path comes twice the last one counts, as when the archive is unpacked. Throws INVALID_INPUT where the
 *  archive is broken or has more than maxArchiveEntries. `name` is for messages. */
export async function indexArchive(cursor: ArchiveCursor, name: string): Promise<ArchiveIndex> {
  const files = new Map<string, ArchiveEntry>();
  const links = new Map<string, string>();
  let global: PaxFields = {};
  let next: PaxFields = {};
  let offset = 0;
  for (let count = 0; ; count++) {
    if (count > maxArchiveEntries) throw broken(name, `more than ${maxArchiveEntries} entries`);
    const block = await cursor.read(tarBlockBytes);
    offset += block.byteLength;
    if (block.byteLength === 0 || isZero(block)) return { find: (path) => resolve(path, files, links) };
    if (block.byteLength < tarBlockBytes || !hasValidChecksum(block))
      throw broken(name, 'no tar header', offset);
    const header = readHeader(block);
    const size = next.size ?? header.size;
    if (size === undefined) throw broken(name, 'a size that is no number', offset);
    const padded = Math.ceil(size / tarBlockBytes) * tarBlockBytes;
    if ('xgLK'.includes(header.type)) {
      if (size > maxExtendedBytes) throw broken(name, `a header of ${size} bytes`, offset);
      const data = (await cursor.read(padded)).subarray(0, size);
      if (data.byteLength < size) throw broken(name, 'its end inside a header', offset);
      const text = data.toString('utf8').replace(/\0+$/, '');
      if (header.type === 'L') next = { ...next, path: text };
      if (header.type === 'K') next = { ...next, linkpath: text };
      if (header.type === 'x' || header.type === 'g') {
        const parsed = parsePax(data, header.type === 'g' ? global : { ...global, ...next });
        if (parsed === undefined) throw broken(name, 'an ill-formed extended header', offset);
        if (header.type === 'g') global = parsed;
        else next = parsed;
      }
      offset += padded;
      continue;
    }
    const path = normalise(next.path ?? global.path ?? readName(block));
    const target = next.linkpath ?? global.linkpath ?? readLinkName(block);
    next = {};
    if (path !== undefined && (header.type === '0' || header.type === '\0' || header.type === '7')) {
      files.set(path, { offset, size });
      links.delete(path);
    } else if (path !== undefined && (header.type === '1' || header.type === '2')) {
      const linked = normalise(header.type === '1' ? target : `${path}/../${target}`);
      if (linked !== undefined) links.set(path, linked);
      files.delete(path);
    }
    await cursor.skip(padded);
    offset += padded;
  }
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

function broken(name: string, found: string, offset?: number): PlimsollError {
  const where = offset === undefined ? '' : ` before byte ${offset}`;
  return new PlimsollError('INVALID_INPUT', `${name}: expected a tar archive, found ${found}${where}`);
}
