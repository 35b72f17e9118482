/** A feed laid out as the public OSV bucket: `ecosystems.txt`, and for each ecosystem `all.zip`, `modified_id.csv` and
 *  single records. It is a folder or a URL. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { compareText } from '../base/text-order.ts';
import { PlimsollError } from '../domain/errors.ts';
import { type DownloadOptions, fetchFile, fetchToTemporaryFile, parseFeedUrl } from './download.ts';
import { maxRecordBytes } from './osv-record.ts';
import { NewestTime } from './osv-time.ts';
import { zipEntries } from './zip-entries.ts';

/** The bucket that OSV publishes. */
export const publicBucketUrl = 'https://osv-vulnerabilities.storage.googleapis.com';

export interface SourceRecord {
  /** From the file's name. */
  readonly id: string;
  /** Undefined for a file over maxRecordBytes. */
  readonly bytes: Uint8Array | undefined;
}

export interface OsvSource {
  /** The URL or the folder, for messages. */
  readonly name: string;
  /** Ecosystems without suffix, sorted. Throws ADVISORIES_MISSING where the folder is no such feed,
   *  ADVISORIES_UNREACHABLE where the URL does not answer as one. */
  ecosystems(): Promise<readonly string[]>;
  /** Id and `modified` of every record as the feed lists them; undefined where it has no list. */
  modified(ecosystem: string): Promise<ReadonlyMap<string, string> | undefined>;
  /** Newest `modified` of the whole feed that is not after `now`; undefined where the feed has no list. */
  newestModified(now: Date): Promise<string | undefined>;
  /** All records of an ecosystem. Throws ADVISORIES_INVALID where the archive is broken, ADVISORIES_MISSING where there
   *  is none. */
  records(ecosystem: string): AsyncIterable<SourceRecord>;
  /** One record; undefined where the feed has no such file. */
  record(ecosystem: string, id: string): Promise<SourceRecord | undefined>;
}

/** Opens `from`: an http(s) URL, else a folder. Nothing is read yet. Throws INSECURE_TRANSPORT. */
export function openOsvSource(from: string, download: DownloadOptions): OsvSource {
  const url = parseFeedUrl(from);
  return url === undefined ? openOsvFolder(from) : new BucketSource(urlFiles(url, download));
}

/** Opens a folder as a feed. Nothing is read yet. */
export function openOsvFolder(folder: string): OsvSource {
  return new BucketSource(folderFiles(resolve(folder)));
}

/** The list of all ecosystems; some 2 KB. */
const maxEcosystemsBytes = 1024 * 1024;
/** Some 50 bytes a record. */
const maxModifiedBytes = 256 * 1024 * 1024;
/** The largest ecosystem's archive has some 300 MB. */
const maxZipBytes = 4 * 1024 * 1024 * 1024;
const maxZipRecords = 4_000_000;
const maxZipTotalBytes = 64 * 1024 * 1024 * 1024;
/** Names become paths: no slash, no leading dot, no `..`. */
const ecosystemPattern = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/;
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}$/;
/** GIT holds records without packages. */
const withoutPackages = new Set(['GIT']);

/** Reads parts of the bucket by the segments of their path. */
interface BucketFiles {
  readonly name: string;
  read(path: readonly string[], maxBytes: number): Promise<Uint8Array | undefined>;
  /** The file on this machine, to be removed after use; undefined where there is none. */
  withLocal(path: readonly string[], maxBytes: number): Promise<LocalFile | undefined>;
  /** Names of folders that hold an archive, for a copy without ecosystems.txt; undefined where that can't be told. */
  folders(): Promise<readonly string[] | undefined>;
}

interface LocalFile {
  readonly path: string;
  remove(): Promise<void>;
}

class BucketSource implements OsvSource {
  readonly #files: BucketFiles;
  readonly name: string;

  constructor(files: BucketFiles) {
    this.#files = files;
    this.name = files.name;
  }

  async ecosystems(): Promise<readonly string[]> {
    const listed = await this.#files.read(['ecosystems.txt'], maxEcosystemsBytes);
    const names =
      listed === undefined
        ? await this.#files.folders()
        : Buffer.from(listed).toString('utf8').split(/\r?\n/);
    const usable = (names ?? []).filter((name) => ecosystemPattern.test(name) && !withoutPackages.has(name));
    if (usable.length === 0) {
      throw new PlimsollError(
        'ADVISORIES_MISSING',
        `${this.name}: expected ecosystems.txt or folders with all.zip, laid out as the OSV bucket, found none`,
      );
    }
    return [...new Set(usable)].sort(compareText);
  }

  async modified(ecosystem: string): Promise<ReadonlyMap<string, string> | undefined> {
    const bytes = await this.#files.read([ecosystem, 'modified_id.csv'], maxModifiedBytes);
    if (bytes === undefined) return undefined;
    const list = new Map<string, string>();
    for (const line of Buffer.from(bytes).toString('utf8').split('\n')) {
      const comma = line.indexOf(',');
      const id = line.slice(comma + 1).trim();
      if (comma > 0 && idPattern.test(id)) list.set(id, line.slice(0, comma).trim());
    }
    return list;
  }

  async newestModified(now: Date): Promise<string | undefined> {
    const bytes = await this.#files.read(['modified_id.csv'], maxModifiedBytes);
    if (bytes === undefined) return undefined;
    const newest = new NewestTime(now);
    for (const line of Buffer.from(bytes).toString('utf8').split('\n'))
      newest.add(line.slice(0, line.indexOf(',')));
    return newest.text;
  }

  async *records(ecosystem: string): AsyncIterable<SourceRecord> {
    const archive = await this.#files.withLocal([ecosystem, 'all.zip'], maxZipBytes);
    if (archive === undefined) {
      throw new PlimsollError(
        'ADVISORIES_MISSING',
        `${this.name}: expected ${ecosystem}/all.zip, found none`,
      );
    }
    try {
      const entries = zipEntries(
        archive.path,
        `${this.name}/${ecosystem}/all.zip`,
        (name) => name.endsWith('.json'),
        {
          maxEntryBytes: maxRecordBytes,
          maxEntries: maxZipRecords,
          maxTotalBytes: maxZipTotalBytes,
        },
      );
      for await (const { name, bytes } of entries) {
        yield { id: name.slice(name.lastIndexOf('/') + 1, -'.json'.length), bytes };
      }
    } finally {
      await archive.remove();
    }
  }

  async record(ecosystem: string, id: string): Promise<SourceRecord | undefined> {
    if (!idPattern.test(id)) return undefined;
    try {
      const bytes = await this.#files.read([ecosystem, `${id}.json`], maxRecordBytes);
      return bytes === undefined ? undefined : { id, bytes };
    } catch (error) {
      if (error instanceof PlimsollError && error.code === 'TOO_LARGE') return { id, bytes: undefined };
      throw error;
    }
  }
}

function folderFiles(root: string): BucketFiles {
  return {
    name: root,
    read: async (path, maxBytes) => {
      const file = join(root, ...path);
      const size = await sizeOf(file);
      if (size === undefined) return undefined;
      if (size > maxBytes)
        throw new PlimsollError('TOO_LARGE', `${file}: expected at most ${maxBytes} bytes, found ${size}`);
      return readFile(file);
    },
    withLocal: async (path) => {
      const file = join(root, ...path);
      return (await sizeOf(file)) === undefined ? undefined : { path: file, remove: async () => {} };
    },
    folders: async () => {
      const names: string[] = [];
      for (const entry of await entriesOf(root)) {
        if (entry.isDirectory() && (await sizeOf(join(root, entry.name, 'all.zip'))) !== undefined)
          names.push(entry.name);
      }
      return names;
    },
  };
}

function urlFiles(url: URL, download: DownloadOptions): BucketFiles {
  const base = url.href.replace(/\/+$/, '');
  const urlOf = (path: readonly string[]): URL =>
    new URL(`${base}/${path.map(encodeURIComponent).join('/')}`);
  return {
    name: base,
    read: (path, maxBytes) => fetchFile(urlOf(path), maxBytes, download),
    withLocal: (path, maxBytes) => fetchToTemporaryFile(urlOf(path), maxBytes, download),
    folders: async () => undefined,
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function entriesOf(root: string) {
  try {
    return await readdir(root, { withFileTypes: true });
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
