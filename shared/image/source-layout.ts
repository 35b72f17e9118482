/** Images of an OCI layout: a folder or an archive of one (image-spec image-layout.md). */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { z } from 'zod';
import { type Digest, digestOf, hexOf, requireDigest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { openArchive } from './archive-file.ts';
import { requireJsonBounds } from './json-limits.ts';
import { type ManifestBytes, manifestMediaType, maxIndexEntries, maxManifestBytes } from './manifest.ts';
import { ociIndexType } from './media-types.ts';
import type { ImageSource } from './source.ts';
import { sourceOfContent } from './source-content.ts';

/** Files by their path in the layout; undefined where there is none. */
export interface LayoutFiles {
  /** Throws TOO_LARGE. */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  open(path: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  close(): Promise<void>;
}

/** `oci:DIR[:TAG]`. A folder of that whole name comes first; else what follows the last colon is the tag.
 *  Throws NOT_FOUND, INVALID_INPUT, INVALID_REFERENCE (no such tag, or several images and no tag). */
export async function openLayoutTarget(reference: string, rest: string): Promise<ImageSource> {
  const colon = rest.lastIndexOf(':');
  const isWhole = colon < 0 || (await isFolder(rest));
  const folder = isWhole ? rest : rest.slice(0, colon);
  if (!(await isFolder(folder))) {
    throw new PlimsollError(
      'NOT_FOUND',
      `${reference}: expected an OCI layout in the folder ${folder}, found none`,
    );
  }
  const files = await folderFiles(folder);
  return openLayout(reference, files, isWhole ? undefined : rest.slice(colon + 1));
}

/** `oci-archive:FILE`, gzipped too. */
export async function openLayoutArchive(reference: string, file: string): Promise<ImageSource> {
  const archive = await openArchive(file);
  try {
    return await openLayout(reference, archive, undefined);
  } catch (error) {
    await archive.close();
    throw error;
  }
}

async function openLayout(
  reference: string,
  files: LayoutFiles,
  tag: string | undefined,
): Promise<ImageSource> {
  const bytes = await files.read('index.json', maxManifestBytes);
  if (bytes === undefined) {
    throw new PlimsollError('INVALID_INPUT', `${reference}: expected an OCI layout, found no index.json`);
  }
  const reader = {
    manifest: (digest: Digest, mediaType: string) => readManifest(files, digest, mediaType),
    async blob(digest: Digest, maxBytes: number) {
      const blob = await files.read(blobPath(digest), maxBytes);
      if (blob !== undefined) requireSame(blob, digest);
      return blob;
    },
    openBlob: (digest: Digest) => files.open(blobPath(digest)),
    close: () => files.close(),
  };
  const root = await chooseRoot(reference, bytes, tag, reader.manifest);
  return sourceOfContent(reference, root, reader);
}

const refNameKey = 'org.opencontainers.image.ref.name';

const layoutIndex = z.object({
  manifests: z
    .array(
      z.object({
        digest: z.string().max(255),
        mediaType: z.string().max(255).default(''),
        annotations: z.object({ [refNameKey]: z.string().optional() }).nullish(),
      }),
    )
    .max(maxIndexEntries),
});

/** The entry with the tag, the only entry, or, where no entry has a name, the layout's index itself. */
async function chooseRoot(
  reference: string,
  bytes: Uint8Array,
  tag: string | undefined,
  load: (digest: Digest, mediaType: string) => Promise<ManifestBytes | undefined>,
): Promise<ManifestBytes> {
  const entries = parseIndexFile(reference, bytes);
  const names = entries.map((entry) => entry.annotations?.[refNameKey]);
  const fitting = tag === undefined ? entries : entries.filter((_, index) => names[index] === tag);
  const [entry] = fitting;
  if (entry === undefined || fitting.length > 1) {
    const isNameless = names.every((name) => name === undefined);
    if (tag === undefined && entry !== undefined && isNameless) {
      return { digest: digestOf(bytes), mediaType: ociIndexType, bytes };
    }
    const known = [...new Set(names.filter((name) => name !== undefined))].slice(0, 20).join(', ');
    throw new PlimsollError(
      'INVALID_REFERENCE',
      `${reference}: ${fitting.length} images fit; name one of its tags, as oci:DIR:TAG (${known === '' ? 'it has none' : known})`,
    );
  }
  const digest = requireDigest(entry.digest, `${reference}, index.json`);
  const root = await load(digest, entry.mediaType);
  if (root !== undefined) return root;
  throw new PlimsollError(
    'NOT_FOUND',
    `${reference}: index.json names ${digest}, which is not in the layout`,
  );
}

function parseIndexFile(reference: string, bytes: Uint8Array): z.infer<typeof layoutIndex>['manifests'] {
  requireJsonBounds(bytes, `${reference}, index.json`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PlimsollError('INVALID_INPUT', `${reference}: index.json is no JSON`, { cause });
  }
  const parsed = layoutIndex.safeParse(json);
  if (parsed.success) return parsed.data.manifests;
  throw new PlimsollError('INVALID_INPUT', `${reference}: expected a list "manifests" in index.json`);
}

async function readManifest(
  files: LayoutFiles,
  digest: Digest,
  mediaType: string,
): Promise<ManifestBytes | undefined> {
  const bytes = await files.read(blobPath(digest), maxManifestBytes);
  if (bytes === undefined) return undefined;
  requireSame(bytes, digest);
  return { digest, bytes, mediaType: manifestMediaType(bytes, mediaType, `manifest ${digest}`) };
}

function requireSame(bytes: Uint8Array, digest: Digest): void {
  const found = digestOf(bytes);
  if (found === digest) return;
  throw new PlimsollError('DIGEST_MISMATCH', `${blobPath(digest)}: its bytes have the digest ${found}`);
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** Files of a folder that somebody else made: a link in it must not lead out, nor a device or pipe be read. */
async function folderFiles(folder: string): Promise<LayoutFiles> {
  const root = await realpath(folder);
  const openFile = async (path: string): Promise<FileHandle | undefined> => {
    const wanted = join(root, path);
    try {
      const real = await realpath(wanted);
      if (!real.startsWith(root + sep)) {
        throw new PlimsollError(
          'INVALID_INPUT',
          `${wanted}: a link that leads out of the layout is not followed`,
        );
      }
      return await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      if (!(cause instanceof Error) || !('code' in cause) || cause instanceof PlimsollError) throw cause;
      throw new PlimsollError('INVALID_INPUT', `${wanted} can't be read (${cause.message})`, { cause });
    }
  };
  return {
    async read(path, maxBytes) {
      const file = await openFile(path);
      if (file === undefined) return undefined;
      try {
        const size = await regularSize(file, path);
        if (size > maxBytes) {
          throw new PlimsollError('TOO_LARGE', `${path}: at most ${maxBytes} bytes are read, found ${size}`);
        }
        return await file.readFile();
      } finally {
        await file.close();
      }
    },
    async open(path) {
      const file = await openFile(path);
      if (file === undefined) return undefined;
      try {
        await regularSize(file, path);
      } catch (error) {
        await file.close();
        throw error;
      }
      return file.createReadStream({ highWaterMark: readChunkBytes });
    },
    close: async () => {},
  };
}

const readChunkBytes = 256 * 1024;

async function regularSize(file: FileHandle, path: string): Promise<number> {
  const found = await file.stat();
  if (!found.isFile()) throw new PlimsollError('INVALID_INPUT', `${path}: expected a regular file`);
  return found.size;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
