/** plan-image: from an event of a registry to a record of the image, proofs of its layers, and jobs for what is unread. */
import type { Digest } from '../domain/digest.ts';
import type { ImageRecord } from '../domain/inventory.ts';
import type { Place } from '../domain/place.ts';
import { maxConfigBytes, parseImageConfig } from '../image/config.ts';
import { parseManifest } from '../image/manifest.ts';
import type { PipelineContext } from './context.ts';
import { placeOf } from './context.ts';
import { confirmDelete, endPlace } from './end-place.ts';
import { loadRecord, storeRecord } from './inventories.ts';
import { type ImageEvent, newEnvelope, type PushEvent } from './messages.ts';
import { openPlace } from './open-place.ts';
import { planIndex } from './plan-index.ts';
import { enqueueJobs, missingLayer } from './plan-layers.ts';
import { recordIgnored } from './record-ignored.ts';
import { missingTooLong, type StepResult } from './run-step.ts';
import { type ImageDocument, imageDocumentKey } from './state/images.ts';
import { type PlaceDocument, placeDocumentKey } from './state/places.ts';
import { moveTag } from './tags.ts';

/** Step of `image-events`. */
export async function planImage(context: PipelineContext, event: ImageEvent): Promise<StepResult> {
  if (event.kind === 'ignored') return recordIgnored(context, event, event.reason, event.detail);
  const place = placeOf(context, event.registry, event.repository);
  if (place === undefined) {
    return recordIgnored(context, event, 'unknown-registry', `${event.registry} is not configured`);
  }
  if (event.kind === 'delete') return confirmDelete(context, place, event);
  return planPush(context, place, event);
}

async function planPush(context: PipelineContext, place: Place, event: PushEvent): Promise<StepResult> {
  const tag = event.tag === undefined ? undefined : await moveTag(context, place, event.tag);
  const target = tag?.digest ?? undefined;
  if (event.tag !== undefined && target === undefined && !missingTooLong(context, event)) {
    return { missing: true };
  }
  const digest = event.digest ?? target;
  if (digest === undefined) {
    return recordIgnored(context, event, 'tag-gone', `${event.tag} is not in the registry`);
  }
  if (target !== undefined && target !== digest && (await isNews(context, place, target, event))) {
    // The tag moved on since the event: what it points to now is planned as a push of its own.
    await context.ports.queues.send('image-events', {
      ...newEnvelope(context.ports.clock.now(), event.asOf),
      kind: 'push',
      registry: place.registry,
      repository: place.repository,
      tag: event.tag,
      digest: target,
    } satisfies ImageEvent);
  }
  const arrival =
    tag !== undefined && target === digest ? { tag: tag.tag, sequence: tag.sequence } : event.arrival;
  return planDigest(context, place, digest, arrival === undefined ? event : { ...event, arrival });
}

/** An event that is put back again and again announces the same target once. */
async function isNews(
  context: PipelineContext,
  place: Place,
  target: Digest,
  event: PushEvent,
): Promise<boolean> {
  if (event.attempt === 0 && event.missingSince === undefined) return true;
  const known = await context.ports.documents.read<PlaceDocument>(placeDocumentKey(place, target));
  return known?.value.state !== 'active';
}

async function planDigest(
  context: PipelineContext,
  place: Place,
  digest: Digest,
  event: PushEvent,
): Promise<StepResult> {
  const raw = await context.ports.registries.manifest(place, digest);
  if (raw === undefined) return missingAtRegistry(context, place, digest, event);
  const manifest = parseManifest(raw);
  if (manifest.kind === 'artifact') {
    await createImage(context, {
      type: 'image',
      kind: 'artifact',
      digest,
      mediaType: manifest.mediaType,
      artifactType: manifest.artifactType,
    });
    await openPlace(context, place, digest, { kind: 'artifact', proven: true, asOf: event.asOf });
    return undefined;
  }
  if (manifest.kind === 'index') return planIndex(context, place, digest, manifest, event);
  const standing = await context.ports.documents.read<PlaceDocument>(placeDocumentKey(place, digest));
  const isProven = standing?.value.state === 'active' && standing.value.proven;
  // What is known of another repository's image is told only to who has its config and layers.
  const known = isProven ? await loadRecord(context.ports.blobs, digest) : undefined;
  if (known !== undefined) {
    await openPlace(context, place, digest, { kind: 'image', proven: true, asOf: event.asOf });
    await enqueueJobs(context, place, known, event);
    return undefined;
  }
  const config = await context.ports.registries.blob(place, manifest.config.digest, maxConfigBytes);
  if (config === undefined) return missingAtRegistry(context, place, digest, event, manifest.config.digest);
  return planLayers(context, place, parseImageConfig(config, manifest, digest), event);
}

async function planLayers(
  context: PipelineContext,
  place: Place,
  record: ImageRecord,
  event: PushEvent,
): Promise<StepResult> {
  const { digest } = record;
  await storeRecord(context.ports.blobs, record);
  await createImage(context, {
    type: 'image',
    kind: 'image',
    digest,
    mediaType: record.mediaType,
    platform: record.platform,
    sizeBytes: record.sizeBytes,
    layerCount: record.layers.length,
  });
  const missing = await missingLayer(context, place, record);
  if (missing !== undefined) return missingAtRegistry(context, place, digest, event, missing);
  await openPlace(context, place, digest, { kind: 'image', proven: true, asOf: event.asOf });
  await enqueueJobs(context, place, record, event);
  return undefined;
}

async function missingAtRegistry(
  context: PipelineContext,
  place: Place,
  digest: Digest,
  event: PushEvent,
  blob?: Digest,
): Promise<StepResult> {
  if (!missingTooLong(context, event)) return { missing: true };
  const { registries } = context.ports;
  const isThere = () =>
    blob === undefined ? registries.hasManifest(place, digest) : registries.hasBlob(place, blob);
  const isGone = await endPlace(context, place, digest, 'gone', async () => !(await isThere()));
  return isGone ? undefined : { missing: true };
}

async function createImage(context: PipelineContext, image: ImageDocument): Promise<void> {
  await context.ports.documents.create(imageDocumentKey(image.digest), image);
}
