/** scan-layer: reads one layer once and stores what it holds; whoever ends last enqueues the judge. */
import type { CoverageCode } from '../domain/coverage.ts';
import { PlimsollError } from '../domain/errors.ts';
import { analyzersHash, readLayer } from '../image/read-layer.ts';
import type { PipelineContext } from './context.ts';
import { endPlace } from './end-place.ts';
import { hasInventory, loadLayerIssue, loadRecord, storeLayerIssue, storeReading } from './inventories.ts';
import { claimLayer } from './layer-claim.ts';
import { type JudgeJob, type LayerJob, newEnvelope } from './messages.ts';
import { missingTooLong, type StepResult } from './run-step.ts';
import { type LayerDocument, layerDocumentKey } from './state/layers.ts';
import { type PlaceDocument, placeDocumentKey } from './state/places.ts';
import { updateDocument } from './update-document.ts';

/** Step of `layer-jobs` and `refresh-jobs`. */
export async function scanLayer(context: PipelineContext, job: LayerJob): Promise<StepResult> {
  const analyzers = analyzersHash(context.catalogers);
  const { blobs } = context.ports;
  const settled =
    (await hasInventory(blobs, job.layerDigest, analyzers)) ||
    (await loadLayerIssue(blobs, job.place, job.imageDigest, job.layerDigest)) !== undefined;
  if (!settled) {
    const result = await claimAndRead(context, job, analyzers);
    if (result !== undefined) return result === 'ended' ? undefined : result;
  }
  await judgeIfComplete(context, job, analyzers);
  return undefined;
}

async function claimAndRead(
  context: PipelineContext,
  job: LayerJob,
  analyzers: string,
): Promise<StepResult | 'ended'> {
  const place = await context.ports.documents.read<PlaceDocument>(
    placeDocumentKey(job.place, job.imageDigest),
  );
  // Written by another instance before this job was: it may not be visible here yet.
  if (place === undefined) return { waitMs: context.timings.staleRetryMs };
  const claim = await claimLayer(context, job.layerDigest);
  if (claim.kind === 'claimed') return { waitMs: context.timings.claimedDelayMs };
  if (claim.kind === 'deadly') {
    throw new PlimsollError(
      'TOO_LARGE',
      `reading layer ${job.layerDigest} ended its process several times; look at its size and content before driving it again`,
    );
  }
  try {
    return await context.layerSlots.run(() => read(context, job, analyzers));
  } finally {
    await claim.release();
  }
}

async function read(
  context: PipelineContext,
  job: LayerJob,
  analyzers: string,
): Promise<StepResult | 'ended'> {
  const { registries, blobs, clock, documents } = context.ports;
  const blob = await registries.openBlob(job.place, job.layerDigest);
  if (blob === undefined) {
    if (!missingTooLong(context, job)) return { missing: true };
    await endPlace(context, job.place, job.imageDigest, 'gone');
    return 'ended';
  }
  try {
    const reading = await readLayer(blob.bytes, {
      layerDigest: job.layerDigest,
      catalogers: context.catalogers,
      reopen: () => reopen(context, job),
    });
    await storeReading(blobs, analyzers, reading);
    context.ports.log.info('layer-read', {
      layer: job.layerDigest,
      compressedBytes: reading.inventory.compressedBytes,
      entries: reading.inventory.entryCount,
    });
  } catch (error) {
    const code = finalCode(error);
    if (code === undefined) throw error;
    await storeLayerIssue(blobs, job.place, job.imageDigest, job.layerDigest, {
      code,
      layer: job.layerDigest,
      detail: (error as PlimsollError).message,
    });
    return undefined;
  }
  const readAt = clock.now().toISOString();
  await updateDocument<LayerDocument>(documents, layerDocumentKey(job.layerDigest), (current) =>
    current?.newest === analyzers ? undefined : { type: 'layer', newest: analyzers, readAt },
  );
  return undefined;
}

async function reopen(context: PipelineContext, job: LayerJob): Promise<AsyncIterable<Uint8Array>> {
  const again = await context.ports.registries.openBlob(job.place, job.layerDigest);
  if (again === undefined) {
    throw new PlimsollError('REGISTRY_UNREACHABLE', `layer ${job.layerDigest} vanished between two passes`, {
      retryable: true,
    });
  }
  return again.bytes;
}

/** What is this image's issue at this place and says nothing of the layer's bytes elsewhere. */
function finalCode(error: unknown): CoverageCode | undefined {
  if (!(error instanceof PlimsollError)) return undefined;
  if (error.code === 'DIGEST_MISMATCH') return 'LAYER_DIGEST_MISMATCH';
  if (error.code === 'TOO_LARGE') return 'LAYER_TOO_LARGE';
  return undefined;
}

/** Asked of blobs alone, so of two layers that end at the same moment at least one sees all. */
async function judgeIfComplete(context: PipelineContext, job: LayerJob, analyzers: string): Promise<void> {
  const { blobs, queues, clock } = context.ports;
  const record = await loadRecord(blobs, job.imageDigest);
  if (record === undefined) {
    throw new PlimsollError(
      'NOT_FOUND',
      `the record of image ${job.imageDigest} is gone; push or scan it again`,
    );
  }
  for (const layer of new Set(record.layers.map((entry) => entry.digest))) {
    if (layer === job.layerDigest || (await hasInventory(blobs, layer, analyzers))) continue;
    if ((await loadLayerIssue(blobs, job.place, job.imageDigest, layer)) === undefined) return;
  }
  await queues.send('judge-jobs', {
    ...newEnvelope(clock.now(), job.asOf),
    place: job.place,
    imageDigest: job.imageDigest,
    judgeCause: { kind: 'push' },
  } satisfies JudgeJob);
}
