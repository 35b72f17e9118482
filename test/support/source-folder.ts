/** Opens targets in a folder of the test's own, and writes OCI layouts and archives there. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, digestOf } from '../../shared/domain/digest.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import type { ImageSource } from '../../shared/image/source.ts';
import { openTarget } from '../../shared/image/sources.ts';
import { sampleBytes } from './registry-push.ts';

export const ociManifestType = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndexType = 'application/vnd.oci.image.index.v1+json';

export interface SourceFolder {
  readonly path: string;
  open(target: string): Promise<ImageSource>;
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** Packs a folder with the system's tar. */
  tar(name: string, from: string, ...flags: string[]): string;
  writeBlob(layout: string, content: string | Uint8Array): Promise<{ digest: Digest; size: number }>;
  writeImage(
    layout: string,
    architecture: string,
    layer?: Uint8Array,
  ): Promise<{ mediaType: string; digest: Digest; size: number }>;
  writeIndex(layout: string, manifests: readonly object[]): Promise<void>;
  /** Closes what was opened and removes the folder. */
  remove(): Promise<void>;
}

export async function makeSourceFolder(): Promise<SourceFolder> {
  const path = await mkdtemp(join(tmpdir(), 'plimsoll-test-'));
  const opened: ImageSource[] = [];

  async function write(name: string, content: string | Uint8Array): Promise<void> {
    await mkdir(join(path, name, '..'), { recursive: true });
    await writeFile(join(path, name), content);
  }

  async function writeBlob(layout: string, content: string | Uint8Array) {
    const digest = digestOf(content);
    await write(`${layout}/blobs/sha256/${digest.slice(7)}`, content);
    return { digest, size: Buffer.byteLength(content) };
  }

  return {
    path,
    write,
    writeBlob,
    async open(target) {
      const source = await openTarget(target, { dockerConfigFolder: join(path, 'no-docker') });
      opened.push(source);
      return source;
    },
    tar(name, from, ...flags) {
      execFileSync('tar', ['-C', join(path, from), ...flags, '-cf', join(path, name), '.']);
      return join(path, name);
    },
    async writeImage(layout, architecture, layer = sampleBytes(50_000, architecture)) {
      const diffIds = [digestOf(layer)];
      const config = await writeBlob(
        layout,
        JSON.stringify({ os: 'linux', architecture, rootfs: { diff_ids: diffIds } }),
      );
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: ociManifestType,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
        layers: [
          { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await writeBlob(layout, layer)) },
        ],
      });
      return { mediaType: ociManifestType, ...(await writeBlob(layout, manifest)) };
    },
    async writeIndex(layout, manifests) {
      await write(`${layout}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
      await write(`${layout}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }));
    },
    async remove() {
      for (const source of opened.splice(0)) await source.close();
      await rm(path, { recursive: true, force: true });
    },
  };
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PlimsollError) return error.code;
    throw error;
  }
  return 'no error';
}

export async function digestOfStream(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
