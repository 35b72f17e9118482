/** Builds the sample image and pushes it to a registry as any client does. */
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../domain/digest.ts';
import { PlimsollError } from '../../domain/errors.ts';
import { tarEnd, tarHeader, tarPadding } from '../../image/tar-writer.ts';
import { type SampleFile, sampleLayers } from './sample-files.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const configType = 'application/vnd.oci.image.config.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';

interface Blob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** Pushes blobs, then the manifest under the tag. Returns the manifest's digest. Throws REGISTRY_REFUSED. */
export async function pushSampleImage(registryUrl: string, repository: string, tag: string): Promise<Digest> {
  const layers = sampleLayers.map(({ files }) => tarOf(files));
  const blobs = layers.map((tar) => blobOf(layerType, gzipSync(tar)));
  const config = jsonBlob(configType, {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
    history: sampleLayers.map(({ createdBy }) => ({ created_by: createdBy })),
  });
  const manifest = jsonBlob(manifestType, {
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptorOf(config),
    layers: blobs.map(descriptorOf),
  });
  const base = `${registryUrl}/v2/${repository}`;
  for (const blob of [...blobs, config]) {
    await send('POST', `${base}/blobs/uploads/?digest=${encodeURIComponent(blob.digest)}`, blob);
  }
  await send('PUT', `${base}/manifests/${tag}`, manifest);
  return manifest.digest;
}

async function send(method: string, url: string, blob: Blob): Promise<void> {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': method === 'POST' ? 'application/octet-stream' : blob.mediaType },
    body: Uint8Array.from(blob.bytes),
  });
  if (answer.status === 201) return;
  throw new PlimsollError('REGISTRY_REFUSED', `${method} ${url}: expected 201, found ${answer.status}`);
}

function tarOf(files: readonly SampleFile[]): Buffer {
  const entries = files.flatMap(({ path, content }) => {
    const bytes = Buffer.from(content);
    return [
      tarHeader({ path, type: 'file', size: bytes.length, mode: 0o644 }),
      bytes,
      tarPadding(bytes.length),
    ];
  });
  return Buffer.concat([...entries, tarEnd]);
}

function jsonBlob(mediaType: string, value: unknown): Blob {
  return blobOf(mediaType, Buffer.from(JSON.stringify(value)));
}

function blobOf(mediaType: string, bytes: Uint8Array): Blob {
  return { mediaType, digest: digestOf(bytes), bytes };
}

function descriptorOf({ mediaType, digest, bytes }: Blob): {
  mediaType: string;
  digest: string;
  size: number;
} {
  return { mediaType, digest, size: bytes.byteLength };
}
