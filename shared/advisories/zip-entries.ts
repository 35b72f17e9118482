/** The entries of a zip archive, one after the other, with bounds on what an archive from outside can cost. */
import { promisify } from 'node:util';
import type { Entry, ZipFile } from 'yauzl';
import { open } from 'yauzl';
import { PlimsollError } from '../domain/errors.ts';

export interface ZipLimits {
  /** Entries past this size are handed over empty with `tooLarge`. */
  readonly maxEntryBytes: number;
  readonly maxEntries: number;
  /** Uncompressed bytes of all entries together. */
  readonly maxTotalBytes: number;
}

/** Reads every entry whose name `wants` accepts; folders are left out. An entry over the limit is handed over as
 *  undefined bytes. Throws ADVISORIES_INVALID where the archive is broken or too large as a whole. */
export async function* zipEntries(
  path: string,
  where: string,
  wants: (name: string) => boolean,
  limits: ZipLimits,
): AsyncIterable<{ readonly name: string; readonly bytes: Uint8Array | undefined }> {
  const zip = await openZip(path, where);
  try {
    if (zip.entryCount > limits.maxEntries) {
      throw invalid(where, `${zip.entryCount} entries, more than ${limits.maxEntries}`);
    }
    let totalBytes = 0;
    for await (const entry of entriesOf(zip, where)) {
      if (entry.fileName.endsWith('/') || !wants(entry.fileName)) continue;
      if (entry.uncompressedSize > limits.maxEntryBytes) {
        yield { name: entry.fileName, bytes: undefined };
        continue;
      }
      totalBytes += entry.uncompressedSize;
      if (totalBytes > limits.maxTotalBytes)
        throw invalid(where, `more than ${limits.maxTotalBytes} bytes unpacked`);
      yield { name: entry.fileName, bytes: await contentOf(zip, entry, where) };
    }
  } finally {
    zip.close();
  }
}

// autoClose off: the file is closed in `finally`, also where the reader stops early.
const options = {
  lazyEntries: true,
  autoClose: false,
  strictFileNames: true,
  validateEntrySize: true,
} as const;

async function openZip(path: string, where: string): Promise<ZipFile> {
  try {
    return await promisify<string, typeof options, ZipFile>(open)(path, options);
  } catch (error) {
    throw invalid(where, 'none that can be opened', error);
  }
}

async function* entriesOf(zip: ZipFile, where: string): AsyncIterable<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      const settle = (): void => {
        zip.off('entry', onEntry);
        zip.off('end', onEnd);
        zip.off('error', onError);
      };
      const onEntry = (found: Entry): void => {
        settle();
        resolve(found);
      };
      const onEnd = (): void => {
        settle();
        resolve(undefined);
      };
      const onError = (error: Error): void => {
        settle();
        reject(invalid(where, 'a broken directory', error));
      };
      zip.on('entry', onEntry);
      zip.on('end', onEnd);
      zip.on('error', onError);
      zip.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}

/** yauzl holds the content to the size that the directory names, so the buffer cannot outgrow it. */
function contentOf(zip: ZipFile, entry: Entry, where: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(invalid(where, `a broken entry ${entry.fileName}`, error));
    zip.openReadStream(entry, (error, stream) => {
      if (error !== null) {
        fail(error);
        return;
      }
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', fail);
      stream.on('end', () => resolve(Buffer.concat(chunks)));
    });
  });
}

function invalid(where: string, found: string, cause?: unknown): PlimsollError {
  return new PlimsollError(
    'ADVISORIES_INVALID',
    `${where}: expected a zip archive of records, found ${found}`,
    { cause },
  );
}
