/** A root file system in a folder, scanned as an image of one layer. */
import { createHash } from 'node:crypto';
import { constants, type Dirent, type Stats } from 'node:fs';
import { lstat, open, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareText } from '../base/text-order.ts';
import type { CoverageIssue } from '../domain/coverage.ts';
import { type Digest, requireDigest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { ImageRecord } from '../domain/inventory.ts';
import type { ImageSource } from './source.ts';
import { tarEnd, tarHeader, tarPadding } from './tar-writer.ts';

/** Folders at the root whose content the kernel makes up: endless, or a way out of the file system. */
const kernelFolders: ReadonlySet<string> = new Set(['proc', 'sys', 'dev']);
/** Most issues that are listed one by one. */
const maxIssues = 1_000;
const layerMediaType = 'application/vnd.oci.image.layer.v1.tar';

/**
 * `dir:DIR`. The layer is a tar archive of the folder, made as it is read: sorted, links not followed, times and owners
 * zero. Its digest, which is the image's too, comes from a first pass over the same bytes; a folder that changes
 * between two passes shows as a digest that does not fit. What can't be read is an issue and not in the archive.
 * Throws NOT_FOUND.
 */
export async function openDirectory(reference: string, folder: string): Promise<ImageSource> {
  if (!(await isFolder(folder))) {
    throw new PlimsollError(
      'NOT_FOUND',
      `${reference}: expected a folder with a root file system, found none`,
    );
  }
  const issues: CoverageIssue[] = [];
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of tarOf(folder, issues)) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  const digest = requireDigest(`sha256:${hash.digest('hex')}`, folder);
  const record = recordOf(digest, sizeBytes);
  return {
    reference,
    digest,
    issues,
    images: async () => [{ digest, platform: record.platform, mediaType: record.mediaType }],
    record: async () => record,
    openLayer: async () => tarOf(folder, []),
    close: async () => {},
  };
}

function recordOf(digest: Digest, sizeBytes: number): ImageRecord {
  return {
    digest,
    mediaType: layerMediaType,
    configDigest: digest,
    platform: { os: 'linux', architecture: 'unknown' },
    sizeBytes,
    layers: [{ digest, diffId: digest, mediaType: layerMediaType, sizeBytes, createdBy: 'a folder' }],
  };
}

async function* tarOf(folder: string, issues: CoverageIssue[]): AsyncGenerator<Uint8Array> {
  yield* tarOfFolder(folder, '', issues);
  yield tarEnd;
}

async function* tarOfFolder(
  folder: string,
  prefix: string,
  issues: CoverageIssue[],
): AsyncGenerator<Uint8Array> {
  let entries: Dirent[];
  try {
    entries = await readdir(join(folder, prefix), { withFileTypes: true });
  } catch (cause) {
    addIssue(issues, prefix, cause);
    return;
  }
  const names = entries.map((entry) => entry.name).sort(compareText);
  for (const name of names) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    let found: Stats;
    try {
      found = await lstat(join(folder, path));
    } catch (cause) {
      addIssue(issues, path, cause);
      continue;
    }
    if (found.isDirectory()) {
      yield tarHeader({ path: `${path}/`, type: 'directory', size: 0, mode: found.mode });
      if (prefix === '' && kernelFolders.has(name)) continue;
      yield* tarOfFolder(folder, path, issues);
    } else if (found.isFile()) {
      yield* tarOfFile(folder, path, issues);
    } else if (found.isSymbolicLink()) {
      yield* tarOfLink(folder, path, found, issues);
    } else if (!found.isSocket()) {
      yield tarHeader({ path, type: found.isFIFO() ? 'fifo' : 'device', size: 0, mode: found.mode });
    }
  }
}

async function* tarOfLink(
  folder: string,
  path: string,
  found: Stats,
  issues: CoverageIssue[],
): AsyncGenerator<Uint8Array> {
  let linkTarget: string;
  try {
    linkTarget = await readlink(join(folder, path));
  } catch (cause) {
    addIssue(issues, path, cause);
    return;
  }
  yield tarHeader({ path, type: 'symlink', size: 0, mode: found.mode, linkTarget });
}

async function* tarOfFile(folder: string, path: string, issues: CoverageIssue[]): AsyncGenerator<Uint8Array> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    // No link and no pipe: one that takes the file's place after lstat must not lead out or make us wait.
    file = await open(join(folder, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    addIssue(issues, path, cause);
    return;
  }
  try {
    const { size, mode } = await file.stat();
    yield tarHeader({ path, type: 'file', size, mode });
    for (let done = 0; done < size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(readChunkBytes, size - done));
      const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, done);
      if (bytesRead === 0)
        throw new PlimsollError('CONFLICT', `${path} became shorter while it was read; scan again`);
      done += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    yield tarPadding(size);
  } finally {
    await file.close();
  }
}

const readChunkBytes = 256 * 1024;

/** Keeps that something is missing; throws whatever is not the file system's answer. */
function addIssue(issues: CoverageIssue[], path: string, cause: unknown): void {
  if (!(cause instanceof Error) || !('code' in cause)) throw cause;
  if (issues.length < maxIssues) {
    issues.push({
      code: 'UNREADABLE_FILE',
      path,
      detail: `${path === '' ? 'the folder' : path} can't be read (${String(cause.code)})`,
    });
  }
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
