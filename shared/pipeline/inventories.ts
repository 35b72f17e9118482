/** Layer inventories and image records as blobs: written once, named by content and analyzers. */
import type { CoverageIssue } from '../domain/coverage.ts';
import { type Digest, hexOf } from '../domain/digest.ts';
import type { ImageRecord, LayerInventory, LayerReading } from '../domain/inventory.ts';
import { type Place, placeKey } from '../domain/place.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Ports } from '../ports/ports.ts';
import { createJson, readJson, requireJson } from './json-blob.ts';
import { type LayerDocument, layerDocumentKey } from './state/layers.ts';

/** A layer has two blobs for each version of the analyzers that ever read it. */
const namesPerPage = 100;

/** Name of a layer's inventory as read by the analyzers of this hash. */
export function inventoryBlob(layer: Digest, analyzers: string): string {
  return `layers/${hexOf(layer)}/${analyzers}.json.gz`;
}

/** Whether the layer was read by these analyzers. Blob Storage is strongly consistent: this is what decides. */
export function hasInventory(blobs: Blobs, layer: Digest, analyzers: string): Promise<boolean> {
  return blobs.exists('inventories', inventoryBlob(layer, analyzers));
}

/**
 * analyzersHash of a reading by other analyzers: the one that the layer document names, else any that is stored, because
 * a document may not be visible here yet and a crash may have kept it from being written. undefined where none is.
 */
export async function otherReading(
  ports: Pick<Ports, 'blobs' | 'documents'>,
  layer: Digest,
): Promise<string | undefined> {
  const { blobs, documents } = ports;
  const pointer = await documents.read<LayerDocument>(layerDocumentKey(layer));
  if (pointer !== undefined && (await hasInventory(blobs, layer, pointer.value.newest))) {
    return pointer.value.newest;
  }
  const folder = `layers/${hexOf(layer)}/`;
  let cursor: string | undefined;
  do {
    const page = await blobs.list('inventories', folder, {
      limit: namesPerPage,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const name of page.items) {
      const [analyzers = '', ...suffix] = name.slice(folder.length).split('.');
      if (suffix.join('.') === 'json.gz') return analyzers;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return undefined;
}

/** Stores a reading; the inventory comes last, because its presence says that all is there. */
export async function storeReading(blobs: Blobs, analyzers: string, reading: LayerReading): Promise<void> {
  const { inventory, leafPaths } = reading;
  await createJson(blobs, 'inventories', leafPathsBlob(inventory.layerDigest, analyzers), leafPaths);
  await createJson(blobs, 'inventories', inventoryBlob(inventory.layerDigest, analyzers), inventory);
}

/** The inventory, or undefined where the layer was not read by these analyzers. */
export function loadInventory(
  blobs: Blobs,
  layer: Digest,
  analyzers: string,
): Promise<LayerInventory | undefined> {
  return readJson<LayerInventory>(blobs, 'inventories', inventoryBlob(layer, analyzers));
}

/** Every path of the layer that is no directory. Throws NOT_FOUND. */
export function loadLeafPaths(blobs: Blobs, layer: Digest, analyzers: string): Promise<readonly string[]> {
  return requireJson<string[]>(blobs, 'inventories', leafPathsBlob(layer, analyzers));
}

/** Why a layer of an image could not be read at a place; undefined where nothing says so. A blob, not a document,
 *  because of two layers that end at the same moment one must see the other. */
export function loadLayerIssue(
  blobs: Blobs,
  place: Place,
  image: Digest,
  layer: Digest,
): Promise<CoverageIssue | undefined> {
  return readJson<CoverageIssue>(blobs, 'inventories', layerIssueBlob(place, image, layer));
}

export async function storeLayerIssue(
  blobs: Blobs,
  place: Place,
  image: Digest,
  layer: Digest,
  issue: CoverageIssue,
): Promise<void> {
  await createJson(blobs, 'inventories', layerIssueBlob(place, image, layer), issue);
}

/** Forgets why a layer could not be read, so that it is tried again. */
export async function removeLayerIssue(
  blobs: Blobs,
  place: Place,
  image: Digest,
  layer: Digest,
): Promise<void> {
  await blobs.remove('inventories', layerIssueBlob(place, image, layer));
}

/** Stores what an image's manifest and config say; the same for every place. */
export async function storeRecord(blobs: Blobs, record: ImageRecord): Promise<void> {
  await createJson(blobs, 'images', recordBlob(record.digest), record);
}

export function loadRecord(blobs: Blobs, digest: Digest): Promise<ImageRecord | undefined> {
  return readJson<ImageRecord>(blobs, 'images', recordBlob(digest));
}

function leafPathsBlob(layer: Digest, analyzers: string): string {
  return `layers/${hexOf(layer)}/${analyzers}.leaves.json.gz`;
}

function layerIssueBlob(place: Place, image: Digest, layer: Digest): string {
  return `issues/${placeKey(place)}/${hexOf(image)}/${hexOf(layer)}.json.gz`;
}

function recordBlob(digest: Digest): string {
  return `${hexOf(digest)}.json.gz`;
}
