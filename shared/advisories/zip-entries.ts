/** The entries of a zip archive, one after the other, with bounds on what an archive from outside can cost. */
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { inflateRawSync } from 'node:zlib';
import { type Entry, fromRandomAccessReader, RandomAccessReader, type ZipFile } from 'yauzl';
import { PlimsollError } from '../domain/errors.ts';

export interface ZipLimits {
  /** Entries past this size are handed over without their bytes. */
  readonly maxEntryBytes: number;
  readonly maxEntries: number;
  /** Uncompressed bytes of all entries together. */
  readonly maxTotalBytes: number;
}

/** Reads every entry whose name `wants` accepts; folders are left out. Bytes are undefined for an entry over the limit.
 *  Throws ADVISORIES_INVALID where the archive is broken or too large as a whole. */
export async function* zipEntries(
  path: string,
  where: string,
  wants: (name: string) => boolean,
  limits: ZipLimits,
): AsyncIterable<{ readonly name: string; readonly bytes: Uint8Array | undefined }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const zip = await openZip(new WindowedFile(file, size), where);
    if (zip.entryCount > limits.maxEntries) {
      throw invalid(where, `${zip.entryCount} entries, more than ${limits.maxEntries}`);
    }
    // A window of its own: the directory stands at the other end of the file.
    const data = new WindowedFile(file, size);
    let totalBytes = 0;
    for await (const entry of entriesOf(zip, where)) {
      if (entry.fileName.endsWith('/') || !wants(entry.fileName)) continue;
      if (entry.uncompressedSize > limits.maxEntryBytes || entry.compressedSize > limits.maxEntryBytes) {
        yield { name: entry.fileName, bytes: undefined };
        continue;
      }
      totalBytes += entry.uncompressedSize;
      if (totalBytes > limits.maxTotalBytes) {
        throw invalid(where, `more than ${limits.maxTotalBytes} bytes unpacked`);
      }
      yield { name: entry.fileName, bytes: await contentOf(data, entry, where) };
    }
  } finally {
    await file.close();
  }
}

/** Entries are small and lie behind one another: read one by one, an archive of 30,000 costs two reads for each. */
const windowBytes = 1024 * 1024;

/** A file read through a window, so that neighbours share one read. */
class WindowedFile extends RandomAccessReader {
  readonly #file: FileHandle;
  readonly size: number;
  #window = Buffer.alloc(0);
  #start = 0;

  constructor(file: FileHandle, size: number) {
    super();
    this.#file = file;
    this.size = size;
  }

  /** Exactly these bytes; undefined where the file ends before. */
  async bytesAt(position: number, length: number): Promise<Buffer | undefined> {
    if (position < 0 || position + length > this.size) return undefined;
    if (position < this.#start || position + length > this.#start + this.#window.length) {
      const window = Buffer.alloc(Math.min(Math.max(windowBytes, length), this.size - position));
      const { bytesRead } = await this.#file.read(window, 0, window.length, position);
      this.#window = window.subarray(0, bytesRead);
      this.#start = position;
    }
    const from = position - this.#start;
    const found = this.#window.subarray(from, from + length);
    return found.length === length ? found : undefined;
  }

  // What yauzl calls to read the directory.
  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.bytesAt(position, length).then((found) => {
      found?.copy(buffer, offset);
      callback(found === undefined ? new Error('unexpected end of the archive') : null);
    }, callback);
  }

  override _readStreamForRange(start: number, end: number): Readable {
    const read = async function* (this: WindowedFile): AsyncIterable<Buffer> {
      const found = await this.bytesAt(start, end - start);
      if (found !== undefined) yield Buffer.from(found);
    };
    return Readable.from(read.call(this));
  }
}

const options = { lazyEntries: true, autoClose: false, strictFileNames: true } as const;

function openZip(file: WindowedFile, where: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    fromRandomAccessReader(file, file.size, options, (error, zip) => {
      if (error === null) resolve(zip);
      else reject(invalid(where, 'none that can be opened', error));
    });
  });
}

async function* entriesOf(zip: ZipFile, where: string): AsyncIterable<Entry> {
  let settle: {
    readonly resolve: (entry: Entry | undefined) => void;
    readonly reject: (error: Error) => void;
  };
  zip.on('entry', (entry: Entry) => settle.resolve(entry));
  zip.on('end', () => settle.resolve(undefined));
  zip.on('error', (error: Error) => settle.reject(invalid(where, 'a broken directory', error)));
  for (;;) {
    const next = new Promise<Entry | undefined>((resolve, reject) => {
      settle = { resolve, reject };
    });
    zip.readEntry();
    const entry = await next;
    if (entry === undefined) return;
    yield entry;
  }
}

/** Fixed part of a local file header (APPNOTE.TXT, 4.3.7). */
const localHeaderBytes = 30;

async function contentOf(data: WindowedFile, entry: Entry, where: string): Promise<Uint8Array> {
  const broken = (cause?: unknown): PlimsollError =>
    invalid(where, `a broken entry ${entry.fileName}`, cause);
  const header = await data.bytesAt(entry.relativeOffsetOfLocalHeader, localHeaderBytes);
  if (header === undefined || header.readUInt32LE(0) !== 0x04034b50 || entry.isEncrypted()) throw broken();
  const start =
    entry.relativeOffsetOfLocalHeader + localHeaderBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  const packed = await data.bytesAt(start, entry.compressedSize);
  if (packed === undefined) throw broken();
  if (entry.compressionMethod === 0 && packed.length === entry.uncompressedSize) return Buffer.from(packed);
  if (entry.compressionMethod !== 8) throw broken();
  try {
    // An entry may not unpack to more than the directory says, which was held to the limit.
    const content = inflateRawSync(packed, {
      maxOutputLength: Math.max(1, entry.uncompressedSize),
      chunkSize: Math.max(64, entry.uncompressedSize),
    });
    if (content.length === entry.uncompressedSize) return content;
  } catch (error) {
    throw broken(error);
  }
  throw broken();
}

function invalid(where: string, found: string, cause?: unknown): PlimsollError {
  return new PlimsollError(
    'ADVISORIES_INVALID',
    `${where}: expected a zip archive of records, found ${found}`,
    {
      cause,
    },
  );
}
