/** All that is stored of an image's layers at a place, as judging needs it. */
import { createHash } from 'node:crypto';
import type { CoverageIssue } from '../domain/coverage.ts';
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { ImageRecord } from '../domain/inventory.ts';
import type { Place } from '../domain/place.ts';
import type { LayerSource } from '../image/compose.ts';
import { ImageBudget } from '../image/image-budget.ts';
import { analyzersHash } from '../image/read-layer.ts';
import type { PipelineContext } from './context.ts';
import {
  hasInventory,
  inventoryBlob,
  loadInventory,
  loadLayerIssue,
  loadLeafPaths,
  otherReading,
} from './inventories.ts';

/** What a layer of an image is known by. */
type LayerState =
  | { readonly kind: 'read'; readonly digest: Digest; readonly analyzers: string; readonly isStale: boolean }
  | { readonly kind: 'missing'; readonly digest: Digest; readonly issue: CoverageIssue };

export interface ImageState {
  /** One per layer of the record, bottom first. */
  readonly layers: readonly LayerState[];
  /** Hash over the image and the names of its inventories or issues, in order. */
  readonly hash: string;
  /** analyzersHash of the newest analyzers, or of an older reading where a layer has no newer one. */
  readonly analyzers: string;
}

/** The state, or undefined while a layer is unread: its job will enqueue the judge. `judgedHash` is the hash that the image
 *  was judged by: where that is the one of the newest readings, they are there and nothing is looked up. */
export async function imageState(
  context: PipelineContext,
  place: Place,
  record: ImageRecord,
  judgedHash?: string,
): Promise<ImageState | undefined> {
  const newest = analyzersHash(context.catalogers);
  const upToDate = stateOf(
    record,
    record.layers.map(({ digest }) => ({ kind: 'read', digest, analyzers: newest, isStale: false })),
    newest,
  );
  if (upToDate.hash === judgedHash) return upToDate;
  const known = new Map<Digest, LayerState>();
  for (const { digest } of record.layers) {
    if (known.has(digest)) continue;
    const state = await layerState(context, place, record.digest, digest, newest);
    if (state === undefined) return undefined;
    known.set(digest, state);
  }
  return stateOf(
    record,
    record.layers.map(({ digest }) => known.get(digest) as LayerState),
    newest,
  );
}

/** True where no layer can be read any better by these analyzers. */
export function isUpToDate(state: ImageState): boolean {
  return state.layers.every((layer) => layer.kind === 'read' && !layer.isStale);
}

/** The layers as composeImage takes them. Throws NOT_FOUND where an inventory vanished meanwhile. */
export async function loadLayers(
  context: PipelineContext,
  state: ImageState,
): Promise<readonly (LayerSource | { readonly missing: CoverageIssue })[]> {
  const { blobs } = context.ports;
  const sources = new Map<Digest, LayerSource | { readonly missing: CoverageIssue }>();
  // Each layer is bounded, but an image may have a thousand of them, and judging holds them all at once.
  const budget = new ImageBudget();
  for (const layer of state.layers) {
    if (sources.has(layer.digest)) continue;
    if (layer.kind === 'missing') {
      sources.set(layer.digest, { missing: layer.issue });
      continue;
    }
    const inventory = await loadInventory(blobs, layer.digest, layer.analyzers);
    if (inventory === undefined) {
      throw new PlimsollError(
        'NOT_FOUND',
        `the inventory of layer ${layer.digest} is gone; push or scan the image again to have it read anew`,
      );
    }
    const missing = budget.take(inventory);
    const leafPaths = () => loadLeafPaths(blobs, layer.digest, layer.analyzers);
    sources.set(layer.digest, missing === undefined ? { inventory, leafPaths } : { missing });
  }
  return state.layers.map(({ digest }) => sources.get(digest) as LayerSource);
}

/** One STALE_ANALYZER issue per layer that newer analyzers have not read yet. */
export function staleIssues(state: ImageState): readonly CoverageIssue[] {
  const stale = new Set(
    state.layers.filter((layer) => layer.kind === 'read' && layer.isStale).map((layer) => layer.digest),
  );
  return [...stale].map((digest) => ({
    code: 'STALE_ANALYZER' as const,
    layer: digest,
    detail: 'the layer was read by an earlier version of the analyzers; it is read again in the background',
  }));
}

function stateOf(record: ImageRecord, layers: readonly LayerState[], newest: string): ImageState {
  const hash = createHash('sha256').update(record.digest);
  for (const layer of layers) {
    hash.update(
      layer.kind === 'read'
        ? `\n${inventoryBlob(layer.digest, layer.analyzers)}`
        : `\n${layer.digest} ${layer.issue.code} ${layer.issue.detail}`,
    );
  }
  const stale = layers.find((layer) => layer.kind === 'read' && layer.isStale);
  return {
    layers,
    hash: hash.digest('hex'),
    analyzers: stale?.kind === 'read' ? stale.analyzers : newest,
  };
}

async function layerState(
  context: PipelineContext,
  place: Place,
  image: Digest,
  digest: Digest,
  newest: string,
): Promise<LayerState | undefined> {
  const { blobs } = context.ports;
  if (await hasInventory(blobs, digest, newest)) {
    return { kind: 'read', digest, analyzers: newest, isStale: false };
  }
  const issue = await loadLayerIssue(blobs, place, image, digest);
  if (issue !== undefined) return { kind: 'missing', digest, issue };
  const analyzers = await otherReading(context.ports, digest);
  return analyzers === undefined ? undefined : { kind: 'read', digest, analyzers, isStale: true };
}
