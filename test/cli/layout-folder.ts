/** Writes small OCI layouts, whole or with a fault, as a folder. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf, hexOf } from '../../shared/domain/digest.ts';
import { type TestEntry, writeTar } from '../support/tar-writer.ts';

export interface LayoutLayer {
  readonly entries: readonly TestEntry[];
  /** `changed`: the blob has other bytes than its name says; `absent`: there is none; `foreign`: it lies elsewhere. */
  readonly fault?: 'changed' | 'absent' | 'foreign' | 'truncated';
}

export interface LayoutImage {
  readonly layers: readonly LayoutLayer[];
  readonly architecture?: string;
}

/** A layout with these images: one stands in the index itself, several in an index of platforms under the tag `v1`. */
export function writeLayout(folder: string, images: readonly LayoutImage[]): void {
  const blobs = join(folder, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const addBlob = (bytes: Uint8Array, written: Uint8Array | null = bytes) => {
    const digest = digestOf(bytes);
    if (written !== null) writeFileSync(join(blobs, hexOf(digest)), written);
    return { digest, size: bytes.byteLength };
  };
  const addJson = (mediaType: string, value: object) => ({
    mediaType,
    ...addBlob(Buffer.from(JSON.stringify(value))),
  });
  const manifests = images.map((image) => {
    const platform = { os: 'linux', architecture: image.architecture ?? 'amd64' };
    const tars = image.layers.map((layer) => writeTar(layer.entries));
    const layers = image.layers.map(({ fault }, index) => {
      const tar = tars[index] ?? Buffer.alloc(0);
      const whole = gzipSync(tar);
      const bytes = fault === 'truncated' ? whole.subarray(0, whole.length >> 1) : whole;
      const isWritten = fault !== 'absent' && fault !== 'foreign';
      const written = fault === 'changed' ? gzipSync(Buffer.concat([tar, Buffer.alloc(512)])) : bytes;
      const type =
        fault === 'foreign'
          ? 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
          : 'application/vnd.oci.image.layer.v1.tar+gzip';
      return {
        mediaType: type,
        ...addBlob(bytes, isWritten ? written : null),
        ...(fault === 'foreign' ? { urls: ['https://layers.example.com/1'] } : {}),
      };
    });
    const config = addJson('application/vnd.oci.image.config.v1+json', {
      ...platform,
      rootfs: { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) },
    });
    const manifestType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers };
    return { ...addJson(manifestType, manifest), platform };
  });
  const indexType = 'application/vnd.oci.image.index.v1+json';
  const root =
    manifests.length === 1
      ? manifests[0]
      : addJson(indexType, { schemaVersion: 2, mediaType: indexType, manifests });
  const index = {
    schemaVersion: 2,
    manifests: [{ ...root, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }],
  };
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
}
