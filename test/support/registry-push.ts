/** Pushes to a registry over HTTP, as a client would, for tests. */
import { createHash } from 'node:crypto';
import { type Digest, digestOf } from '../../shared/domain/digest.ts';

export interface PushTarget {
  readonly url: string;
  readonly repository: string;
  readonly authorization?: string;
}

export async function pushBlob(target: PushTarget, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  const headers = target.authorization === undefined ? {} : { authorization: target.authorization };
  const opened = await fetch(`${target.url}/v2/${target.repository}/blobs/uploads/`, {
    method: 'POST',
    headers,
  });
  if (opened.status !== 202) throw new Error(`upload refused: ${opened.status} ${await opened.text()}`);
  const location = new URL(opened.headers.get('location') ?? '', target.url);
  location.searchParams.set('digest', digest);
  const stored = await fetch(location, { method: 'PUT', headers, body: Uint8Array.from(bytes) });
  if (stored.status !== 201) throw new Error(`blob refused: ${stored.status} ${await stored.text()}`);
  return digest;
}

export async function pushManifest(
  target: PushTarget,
  reference: string,
  body: Uint8Array,
  mediaType: string,
): Promise<Digest> {
  const headers = {
    'content-type': mediaType,
    ...(target.authorization === undefined ? {} : { authorization: target.authorization }),
  };
  const stored = await fetch(`${target.url}/v2/${target.repository}/manifests/${reference}`, {
    method: 'PUT',
    headers,
    body: Uint8Array.from(body),
  });
  if (stored.status !== 201) throw new Error(`manifest refused: ${stored.status} ${await stored.text()}`);
  return digestOf(body);
}

export interface PushedImage {
  readonly digest: Digest;
  readonly config: Digest;
  readonly layers: readonly Digest[];
}

/** An image whose layers are these bytes, whatever they are. */
export async function pushImage(
  target: PushTarget,
  tag: string,
  layers: readonly Uint8Array[],
): Promise<PushedImage> {
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: layers.map((bytes) => digestOf(bytes)) },
    }),
  );
  const configDigest = await pushBlob(target, config);
  const digests: Digest[] = [];
  for (const bytes of layers) digests.push(await pushBlob(target, bytes));
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: configDigest,
      size: config.byteLength,
    },
    layers: layers.map((bytes, index) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: digests[index],
      size: bytes.byteLength,
    })),
  };
  const digest = await pushManifest(target, tag, Buffer.from(JSON.stringify(manifest)), manifest.mediaType);
  return { digest, config: configDigest, layers: digests };
}

/** Bytes that look random and are the same in every run. */
export function sampleBytes(length: number, seed = 'sample'): Buffer {
  const parts: Buffer[] = [];
  for (let index = 0; index * 32 < length; index++) {
    parts.push(createHash('sha256').update(`${seed} ${index}`).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}
