/** What the local registry keeps, in a folder: blobs by digest, and for each repository its links, manifests and tags. */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestOf, hexOf, parseDigest } from '../domain/digest.ts';

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** A blob on its way in. */
export interface Upload {
  readonly id: string;
  readonly repository: string;
  size: number;
  readonly hash: Hash;
  readonly file: FileHandle;
  readonly path: string;
}

/** Repository, tag and digest are checked by the caller: they become paths here. Names beginning with `_` can't be
 *  repository components. */
export interface RegistryStorage {
  /** Size and path of a blob that the repository has. */
  blob(
    repository: string,
    digest: Digest,
  ): Promise<{ readonly path: string; readonly size: number } | undefined>;
  linkBlob(repository: string, digest: Digest): Promise<void>;
  unlinkBlob(repository: string, digest: Digest): Promise<boolean>;
  beginUpload(repository: string): Promise<Upload>;
  /** Moves a finished upload to its digest; false (and the upload is gone) where its bytes have another one. */
  finishUpload(upload: Upload, digest: Digest): Promise<boolean>;
  abortUpload(upload: Upload): Promise<void>;
  manifest(repository: string, reference: string): Promise<StoredManifest | undefined>;
  putManifest(
    repository: string,
    bytes: Uint8Array,
    mediaType: string,
    tag: string | undefined,
  ): Promise<Digest>;
  /** Tags that pointed to it, sorted; undefined where there was no such manifest. */
  deleteManifest(repository: string, digest: Digest): Promise<readonly string[] | undefined>;
  deleteTag(repository: string, tag: string): Promise<boolean>;
  tags(repository: string): Promise<readonly string[]>;
  repositories(): Promise<readonly string[]>;
}

/** Opens the folder and throws away uploads that a stop has left. */
export async function openRegistryStorage(folder: string): Promise<RegistryStorage> {
  const blobs = join(folder, 'blobs');
  const uploads = join(folder, 'uploads');
  const repositories = join(folder, 'repositories');
  await rm(uploads, { recursive: true, force: true });
  for (const path of [blobs, uploads, repositories]) await mkdir(path, { recursive: true });

  const blobPath = (digest: Digest): string => join(blobs, hexOf(digest));
  const repositoryPath = (repository: string, ...rest: string[]): string =>
    join(repositories, ...repository.split('/'), ...rest);
  const linkPath = (repository: string, digest: Digest): string =>
    repositoryPath(repository, '_blobs', hexOf(digest));
  const manifestPath = (repository: string, digest: Digest): string =>
    repositoryPath(repository, '_manifests', hexOf(digest));

  /** Whole or not at all, also when the process is killed. */
  async function write(path: string, content: string | Uint8Array): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const temporary = join(uploads, randomUUID());
    await writeFile(temporary, content);
    await rename(temporary, path);
  }

  async function tags(repository: string): Promise<string[]> {
    return (await namesIn(repositoryPath(repository, '_tags'))).sort();
  }

  return {
    async blob(repository, digest) {
      const path = blobPath(digest);
      if ((await sizeOf(linkPath(repository, digest))) === undefined) return undefined;
      const size = await sizeOf(path);
      return size === undefined ? undefined : { path, size };
    },
    linkBlob: (repository, digest) => write(linkPath(repository, digest), ''),
    unlinkBlob: (repository, digest) => removeFile(linkPath(repository, digest)),
    async beginUpload(repository) {
      const id = randomUUID();
      const path = join(uploads, id);
      return { id, repository, size: 0, hash: createHash('sha256'), file: await open(path, 'wx'), path };
    },
    async finishUpload(upload, digest) {
      await upload.file.close();
      const found = `sha256:${upload.hash.digest('hex')}`;
      if (found !== digest) {
        await rm(upload.path, { force: true });
        return false;
      }
      await rename(upload.path, blobPath(digest));
      await write(linkPath(upload.repository, digest), '');
      return true;
    },
    async abortUpload(upload) {
      await upload.file.close();
      await rm(upload.path, { force: true });
    },
    async manifest(repository, reference) {
      const tagged =
        parseDigest(reference) ?? (await readText(repositoryPath(repository, '_tags', reference)));
      const digest = tagged === undefined ? undefined : parseDigest(tagged);
      if (digest === undefined) return undefined;
      const stored = await readBytes(manifestPath(repository, digest));
      if (stored === undefined) return undefined;
      // The first line is the media type, the rest the manifest.
      const end = stored.indexOf(10);
      return {
        digest,
        mediaType: stored.subarray(0, end).toString('utf8'),
        bytes: stored.subarray(end + 1),
      };
    },
    async putManifest(repository, bytes, mediaType, tag) {
      const digest = digestOf(bytes);
      await write(manifestPath(repository, digest), Buffer.concat([Buffer.from(`${mediaType}\n`), bytes]));
      if (tag !== undefined) await write(repositoryPath(repository, '_tags', tag), digest);
      return digest;
    },
    async deleteManifest(repository, digest) {
      if ((await sizeOf(manifestPath(repository, digest))) === undefined) return undefined;
      const pointing: string[] = [];
      for (const tag of await tags(repository)) {
        const path = repositoryPath(repository, '_tags', tag);
        if ((await readText(path)) === digest && (await removeFile(path))) pointing.push(tag);
      }
      await removeFile(manifestPath(repository, digest));
      return pointing;
    },
    deleteTag: (repository, tag) => removeFile(repositoryPath(repository, '_tags', tag)),
    tags,
    async repositories() {
      const found = await readdir(repositories, { recursive: true, withFileTypes: true });
      return found
        .filter((entry) => entry.isDirectory() && entry.name === '_manifests')
        .map((entry) => entry.parentPath.slice(repositories.length + 1))
        .sort();
    },
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await unlessMissing(stat(path)))?.size;
}

function readBytes(path: string): Promise<Buffer | undefined> {
  return unlessMissing(readFile(path));
}

async function readText(path: string): Promise<string | undefined> {
  return (await readBytes(path))?.toString('utf8');
}

async function namesIn(path: string): Promise<string[]> {
  return (await unlessMissing(readdir(path))) ?? [];
}

async function removeFile(path: string): Promise<boolean> {
  return (await unlessMissing(rm(path).then(() => true))) ?? false;
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
