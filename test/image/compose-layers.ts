/** Composes model layers through the real archive, the real reader and the real catalogers. */
import { catalogers } from '../../shared/catalogers/registry.ts';
import { type Digest, digestOf } from '../../shared/domain/digest.ts';
import type { ImageInventory, ImageRecord } from '../../shared/domain/inventory.ts';
import { composeImage, type LayerSource } from '../../shared/image/compose.ts';
import { readLayer } from '../../shared/image/read-layer.ts';
import { archive, type LayerEntry } from './model-file-system.ts';

/** Layers with equal content have equal digests, as in a registry. */
export async function composeLayers(
  layers: readonly (readonly LayerEntry[])[],
  changes: Partial<ImageRecord> = {},
): Promise<ImageInventory> {
  const archives = layers.map(archive);
  const sources: LayerSource[] = [];
  for (const bytes of archives) sources.push(await readModelLayer(bytes));
  return composeImage({ ...recordOf(archives.map(digestOf)), ...changes }, sources);
}

export async function readModelLayer(bytes: Buffer): Promise<LayerSource> {
  async function* open(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const reading = await readLayer(open(), {
    layerDigest: digestOf(bytes),
    catalogers,
    reopen: async () => open(),
  });
  return { inventory: reading.inventory, leafPaths: async () => reading.leafPaths };
}

/** An image of uncompressed layers: their diff ids are their digests. */
export function recordOf(digests: readonly Digest[]): ImageRecord {
  return {
    digest: digestOf('manifest'),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    configDigest: digestOf('config'),
    platform: { os: 'linux', architecture: 'amd64' },
    sizeBytes: 0,
    layers: digests.map((digest) => ({
      digest,
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      sizeBytes: 0,
      diffId: digest,
    })),
  };
}
