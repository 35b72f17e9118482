/** Builds small images from tar layers and pushes them to a registry as a client would. */
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../shared/domain/digest.ts';
import { pushBlob, pushManifest } from './registry-push.ts';
import { type TestEntry, writeTar } from './tar-writer.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';
const configType = 'application/vnd.oci.image.config.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';

export interface BuiltBlob {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface BuiltImage {
  readonly manifest: BuiltBlob;
  readonly config: BuiltBlob;
  readonly layers: readonly BuiltBlob[];
  readonly platform: { readonly os: string; readonly architecture: string };
}

export interface BuiltIndex {
  readonly manifest: BuiltBlob;
  readonly images: readonly BuiltImage[];
}

/** A gzip layer of these entries; the same entries give the same digest. */
export function buildLayer(entries: readonly TestEntry[]): BuiltBlob & { readonly diffId: string } {
  const tar = writeTar(entries);
  return { ...blobOf(gzipSync(tar), layerType), diffId: digestOf(tar) };
}

/** An image of these layers, bottom first. */
export function buildImage(
  layers: readonly ReturnType<typeof buildLayer>[],
  platform = { os: 'linux', architecture: 'amd64' },
): BuiltImage {
  const config = jsonBlob(configType, {
    ...platform,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((_, index) => ({ created_by: `step ${index}` })),
  });
  const manifest = jsonBlob(manifestType, {
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
  });
  return { manifest, config, layers, platform };
}

/** An index of these images. */
export function buildIndex(images: readonly BuiltImage[]): BuiltIndex {
  const manifest = jsonBlob(indexType, {
    schemaVersion: 2,
    mediaType: indexType,
    manifests: images.map((image) => ({ ...descriptorOf(image.manifest), platform: image.platform })),
  });
  return { manifest, images };
}

/** Pushes layers, config and manifest; without a tag the manifest goes by its digest. */
export async function pushImage(
  registryUrl: string,
  repository: string,
  tag: string | undefined,
  image: BuiltImage,
): Promise<void> {
  const target = { url: registryUrl, repository };
  for (const blob of [...image.layers, image.config]) await pushBlob(target, blob.bytes);
  await pushManifest(target, tag ?? image.manifest.digest, image.manifest.bytes, image.manifest.mediaType);
}

/** Pushes the images by digest, then the index. */
export async function pushIndex(
  registryUrl: string,
  repository: string,
  tag: string,
  index: BuiltIndex,
): Promise<void> {
  for (const image of index.images) await pushImage(registryUrl, repository, undefined, image);
  const { bytes, mediaType } = index.manifest;
  await pushManifest({ url: registryUrl, repository }, tag, bytes, mediaType);
}

/** Deletes a manifest by its digest. */
export async function deleteManifest(registryUrl: string, repository: string, digest: Digest): Promise<void> {
  const response = await fetch(`${registryUrl}/v2/${repository}/manifests/${digest}`, { method: 'DELETE' });
  if (!response.ok) throw new Error(`DELETE of ${digest} answered ${response.status}`);
}

function jsonBlob(mediaType: string, value: unknown): BuiltBlob {
  return blobOf(Buffer.from(JSON.stringify(value)), mediaType);
}

function blobOf(bytes: Uint8Array, mediaType: string): BuiltBlob {
  return { digest: digestOf(bytes), mediaType, bytes };
}

function descriptorOf(blob: BuiltBlob): { mediaType: string; digest: string; size: number } {
  return { mediaType: blob.mediaType, digest: blob.digest, size: blob.bytes.byteLength };
}
