/** Reads files out of a tar archive, plain or gzipped, without unpacking it. */
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { type ArchiveCursor, type ArchiveEntry, indexArchive } from './archive-index.ts';

export interface Archive {
  /** The whole file, or undefined where there is none. Throws TOO_LARGE. */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  open(path: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Digest of a file where indexing the archive has shown it. */
  knownDigest(path: string): { readonly digest: Digest; readonly size: number } | undefined;
  close(): Promise<void>;
}

/**
 * Opens an archive and indexes it. A plain one is read at the places that are wanted. A gzipped one can't be: it is
 * decompressed once for the index, the digests and the small files, and again from its start for every larger file that
 * is opened, which costs time and neither memory nor disk. Throws NOT_FOUND, INVALID_INPUT.
 */
export async function openArchive(file: string): Promise<Archive> {
  const handle = await openRegular(file);
  try {
    const isGzipped = await startsWithGzip(handle);
    const cursor = isGzipped ? streamCursor(gunzipped(file)) : fileCursor(handle);
    const index = await indexArchive(cursor, file);
    await cursor.end();
    const openEntry = (entry: ArchiveEntry): AsyncIterable<Uint8Array> =>
      isGzipped ? partOf(gunzipped(file), entry, file) : partOfFile(handle, entry, file);
    return {
      async read(path, maxBytes) {
        const entry = index.find(path);
        if (entry === undefined) return undefined;
        if (entry.size > maxBytes) {
          throw new PlimsollError(
            'TOO_LARGE',
            `${file}, ${path}: at most ${maxBytes} bytes are read, found ${entry.size}`,
          );
        }
        if (entry.content !== undefined) return entry.content;
        const chunks: Uint8Array[] = [];
        for await (const chunk of openEntry(entry)) chunks.push(chunk);
        return Buffer.concat(chunks);
      },
      async open(path) {
        const entry = index.find(path);
        return entry === undefined ? undefined : openEntry(entry);
      },
      knownDigest(path) {
        const entry = index.find(path);
        return entry?.digest === undefined ? undefined : { digest: entry.digest, size: entry.size };
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

const readChunkBytes = 256 * 1024;

interface ClosingCursor extends ArchiveCursor {
  end(): Promise<void>;
}

function fileCursor(handle: FileHandle): ClosingCursor {
  let at = 0;
  return {
    async read(length) {
      const buffer = Buffer.alloc(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, at + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      at += filled;
      return buffer.subarray(0, filled);
    },
    async skip(length) {
      at += length;
    },
    end: async () => {},
  };
}

function streamCursor(source: AsyncIterable<Uint8Array>): ClosingCursor {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  async function fill(): Promise<boolean> {
    while (rest.byteLength === 0) {
      const next = await iterator.next();
      if (next.done === true) return false;
      rest = next.value;
    }
    return true;
  }
  return {
    async read(length) {
      const parts: Uint8Array[] = [];
      for (let left = length; left > 0 && (await fill()); ) {
        const part = rest.subarray(0, left);
        rest = rest.subarray(part.byteLength);
        left -= part.byteLength;
        parts.push(part);
      }
      return Buffer.concat(parts);
    },
    async skip(length, visit) {
      for (let left = length; left > 0 && (await fill()); ) {
        const part = rest.subarray(0, left);
        rest = rest.subarray(part.byteLength);
        left -= part.byteLength;
        visit?.(part);
      }
    },
    async end() {
      await iterator.return?.();
    },
  };
}

async function* gunzipped(file: string): AsyncGenerator<Uint8Array> {
  const input = createReadStream(file, { highWaterMark: readChunkBytes });
  const output = createGunzip({ chunkSize: readChunkBytes });
  input.on('error', (error) => output.destroy(error));
  input.pipe(output);
  try {
    yield* output as AsyncIterable<Uint8Array>;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (!code.startsWith('Z_')) throw cause;
    throw new PlimsollError('INVALID_INPUT', `${file}: expected gzip, found damaged or cut data`, { cause });
  } finally {
    input.destroy();
    output.destroy();
  }
}

async function* partOf(
  source: AsyncIterable<Uint8Array>,
  entry: ArchiveEntry,
  file: string,
): AsyncGenerator<Uint8Array> {
  const end = entry.offset + entry.size;
  let at = 0;
  if (entry.size === 0) return;
  for await (const chunk of source) {
    const start = Math.max(entry.offset - at, 0);
    const part = chunk.subarray(start, Math.max(end - at, 0));
    at += chunk.byteLength;
    if (part.byteLength > 0) yield part;
    if (at >= end) return;
  }
  throw cutOff(file);
}

async function* partOfFile(
  handle: FileHandle,
  entry: ArchiveEntry,
  file: string,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < entry.size; ) {
    const buffer = Buffer.allocUnsafe(Math.min(readChunkBytes, entry.size - done));
    const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, entry.offset + done);
    if (bytesRead === 0) throw cutOff(file);
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function openRegular(file: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    // Non-blocking, so that a pipe is refused below instead of waited for.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new PlimsollError('NOT_FOUND', `${file}: expected an archive that can be read (${cause.message})`, {
      cause,
    });
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new PlimsollError('INVALID_INPUT', `${file}: expected an archive in a regular file`);
}

async function startsWithGzip(handle: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer.readUInt16BE(0) === 0x1f8b;
}

function cutOff(file: string): PlimsollError {
  return new PlimsollError('INVALID_INPUT', `${file}: the archive ends inside a file; save or copy it again`);
}
