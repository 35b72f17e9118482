/** Plans the layers of an image: proofs that they are in its repository, and jobs for what is unread. */
import type { Digest } from '../domain/digest.ts';
import type { ImageRecord } from '../domain/inventory.ts';
import type { Place } from '../domain/place.ts';
import { analyzersHash } from '../image/read-layer.ts';
import type { PipelineContext } from './context.ts';
import {
  hasInventory,
  loadLayerIssue,
  otherReading,
  removeLayerIssue,
  storeLayerIssue,
} from './inventories.ts';
import { type JudgeJob, type LayerJob, newEnvelope, type PushEvent } from './messages.ts';

/** HEADs every layer in the image's own repository, known or not: naming a private layer's digest reads nothing of it.
 *  Returns the first that is not there and should be. */
export async function missingLayer(
  context: PipelineContext,
  place: Place,
  record: ImageRecord,
): Promise<Digest | undefined> {
  const layers = new Map(record.layers.map((layer) => [layer.digest, layer]));
  for (const layer of layers.values()) {
    const isThere = await context.ports.registries.hasBlob(place, layer.digest);
    if (isThere) continue;
    if (isForeign(layer.mediaType)) {
      await storeLayerIssue(context.ports.blobs, place, record.digest, layer.digest, {
        code: 'LAYER_NOT_AVAILABLE',
        layer: layer.digest,
        detail: `the registry does not hold this layer of type ${layer.mediaType}; its content was not scanned`,
      });
    } else {
      return layer.digest;
    }
  }
  return undefined;
}

/** A job for each layer that is unread; with none the judge's. */
export async function enqueueJobs(
  context: PipelineContext,
  place: Place,
  record: ImageRecord,
  event: PushEvent,
): Promise<void> {
  const analyzers = analyzersHash(context.catalogers);
  const { blobs, queues, clock } = context.ports;
  let unread = 0;
  for (const layer of new Set(record.layers.map((entry) => entry.digest))) {
    if (await hasInventory(blobs, layer, analyzers)) continue;
    const issue = await loadLayerIssue(blobs, place, record.digest, layer);
    if (issue?.code === 'LAYER_NOT_AVAILABLE') continue;
    // What could not be read here before may have been repaired by this push.
    if (issue !== undefined) await removeLayerIssue(blobs, place, record.digest, layer);
    const envelope = newEnvelope(clock.now(), event.asOf);
    const job: LayerJob = {
      ...envelope,
      place,
      imageDigest: record.digest,
      layerDigest: layer,
      arrival: event.arrival,
    };
    const isRead = (await otherReading(context.ports, layer)) !== undefined;
    if (!isRead) unread += 1;
    await queues.send(isRead ? 'refresh-jobs' : 'layer-jobs', job);
  }
  context.ports.log.info('image-planned', {
    repository: place.repository,
    digest: record.digest,
    layers: record.layers.length,
    unread,
  });
  // With layers unread the last of them enqueues the judge.
  if (unread > 0) return;
  await queues.send('judge-jobs', {
    ...newEnvelope(clock.now(), event.asOf),
    place,
    imageDigest: record.digest,
    arrival: event.arrival,
    judgeCause: { kind: 'push' },
  } satisfies JudgeJob);
}

/** Layers that a manifest may name without the registry holding them (image-spec, non-distributable layers). */
function isForeign(mediaType: string): boolean {
  return mediaType.includes('.foreign.') || mediaType.includes('nondistributable');
}
