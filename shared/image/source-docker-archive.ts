/** An image that `docker save` wrote: manifest.json, a config and layers in a tar archive (moby, image/spec/v1.2). */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Digest, digestOf, requireDigest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { ImageLayer, ImageRecord } from '../domain/inventory.ts';
import { type Archive, openArchive } from './archive-file.ts';
import { maxConfigBytes, parseImageConfig } from './config.ts';
import { requireJsonBounds } from './json-limits.ts';
import { type Descriptor, maxLayers, maxManifestBytes } from './manifest.ts';
import { dockerConfigType, dockerManifestType } from './media-types.ts';
import type { ImageSource } from './source.ts';

/**
 * `docker-archive:FILE`. Such an archive has no registry manifest, so the image's digest is its id, the digest of the
 * config; a layer's digest is that of its bytes as stored (the archive names none that could be trusted), computed
 * here. The diff ids are those that the config claims: whoever reads the layers compares them.
 * Throws NOT_FOUND, INVALID_INPUT (broken, or not exactly one image), INVALID_MANIFEST, TOO_LARGE.
 */
export async function openDockerArchive(reference: string, file: string): Promise<ImageSource> {
  const archive = await openArchive(file);
  try {
    const entry = await readEntry(reference, archive);
    const config = await readRequired(reference, archive, entry.Config, maxConfigBytes);
    const { record, paths } = await readRecord(reference, archive, entry.Layers, config);
    return {
      reference,
      digest: record.digest,
      issues: [],
      images: async () => [{ digest: record.digest, platform: record.platform, mediaType: record.mediaType }],
      async record(digest) {
        if (digest === record.digest) return record;
        throw new PlimsollError(
          'NOT_FOUND',
          `${reference}: expected the image ${record.digest}, asked for ${digest}`,
        );
      },
      openLayer: (layer: ImageLayer) => openRequired(reference, archive, paths.get(layer.digest) ?? ''),
      close: () => archive.close(),
    };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

const path = z.string().min(1).max(4_096);
const manifestFile = z
  .array(z.object({ Config: path, Layers: z.array(path).max(maxLayers).nullable() }))
  .max(1_000);

async function readEntry(
  reference: string,
  archive: Archive,
): Promise<{ readonly Config: string; readonly Layers: readonly string[] }> {
  const bytes = await readRequired(reference, archive, 'manifest.json', maxManifestBytes);
  requireJsonBounds(bytes, `${reference}, manifest.json`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PlimsollError('INVALID_INPUT', `${reference}: manifest.json is no JSON`, { cause });
  }
  const parsed = manifestFile.safeParse(json);
  const [entry] = parsed.data ?? [];
  if (entry === undefined) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `${reference}: expected a list with "Config" and "Layers" in manifest.json`,
    );
  }
  if ((parsed.data?.length ?? 0) > 1) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `${reference}: holds ${parsed.data?.length} images; save one alone`,
    );
  }
  return { Config: entry.Config, Layers: entry.Layers ?? [] };
}

async function readRecord(
  reference: string,
  archive: Archive,
  layerPaths: readonly string[],
  config: Uint8Array,
): Promise<{ record: ImageRecord; paths: Map<Digest, string> }> {
  const configDigest = digestOf(config);
  const descriptor = { digest: configDigest, mediaType: dockerConfigType, sizeBytes: config.byteLength };
  // The config says what the diff ids are before the layers have digests: read once with stand-ins for those.
  const standIns = layerPaths.map((): Descriptor => ({ digest: configDigest, mediaType: '', sizeBytes: 0 }));
  const claimed = parseImageConfig(
    config,
    { kind: 'image', mediaType: dockerManifestType, config: descriptor, layers: standIns },
    configDigest,
  );
  const layers: ImageLayer[] = [];
  const paths = new Map<Digest, string>();
  for (const [index, layerPath] of layerPaths.entries()) {
    const stored = await describeLayer(reference, archive, layerPath);
    layers.push({ ...claimed.layers[index], ...stored });
    paths.set(stored.digest, layerPath);
  }
  const sizeBytes = layers.reduce((sum, layer) => sum + layer.sizeBytes, 0);
  return { record: { ...claimed, layers, sizeBytes }, paths };
}

/** The media type is no more than a word here: what the bytes are is told from the bytes. */
async function describeLayer(
  reference: string,
  archive: Archive,
  layerPath: string,
): Promise<Pick<ImageLayer, 'digest' | 'mediaType' | 'sizeBytes'>> {
  const mediaType = 'application/vnd.docker.image.rootfs.diff.tar';
  const known = archive.knownDigest(layerPath);
  if (known !== undefined) return { digest: known.digest, sizeBytes: known.size, mediaType };
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of await openRequired(reference, archive, layerPath)) {
    sizeBytes += chunk.byteLength;
    hash.update(chunk);
  }
  return { digest: requireDigest(`sha256:${hash.digest('hex')}`, layerPath), sizeBytes, mediaType };
}

async function readRequired(
  reference: string,
  archive: Archive,
  name: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const bytes = await archive.read(name, maxBytes);
  if (bytes === undefined) throw missing(reference, name);
  return bytes;
}

async function openRequired(
  reference: string,
  archive: Archive,
  name: string,
): Promise<AsyncIterable<Uint8Array>> {
  const bytes = await archive.open(name);
  if (bytes === undefined) throw missing(reference, name);
  return bytes;
}

function missing(reference: string, name: string): PlimsollError {
  return new PlimsollError(
    'INVALID_INPUT',
    `${reference}: expected ${name.slice(0, 200)} in an archive of "docker save", found none`,
  );
}
