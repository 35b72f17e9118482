/** scan-layer: reads one layer once and stores what it holds; whoever ends last enqueues the judge. */
import type { CoverageCode } from '../domain/coverage.ts';
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { analyzersHash, readLayer } from '../image/read-layer.ts';
import type { PipelineContext } from './context.ts';
import { endPlace } from './end-place.ts';
import {
  hasInventory,
  loadLayerIssue,
  loadRecord,
  otherReading,
  storeLayerIssue,
  storeReading,
} from './inventories.ts';
import { claimLayer } from './layer-claim.ts';
import { type JudgeJob, type LayerJob, newEnvelope } from './messages.ts';
import { missingTooLong, type StepResult } from './run-step.ts';
import { type LayerDocument, layerDocumentKey } from './state/layers.ts';
import { updateDocument } from './update-document.ts';

/** Step of `layer-jobs`: once no layer of the image is unread it is judged, by an older reading where one is newer. */
export function scanLayer(context: PipelineContext, job: LayerJob): Promise<StepResult> {
  return settleLayer(
    context,
    job,
    async (layer, analyzers) =>
      (await isSettled(context, job, layer, analyzers)) ||
      (await otherReading(context.ports, layer)) !== undefined,
  );
}

/** Step of `refresh-jobs`: the image is judged again once, when the last of its layers was read by these analyzers. */
export function refreshLayer(context: PipelineContext, job: LayerJob): Promise<StepResult> {
  return settleLayer(context, job, (layer, analyzers) => isSettled(context, job, layer, analyzers));
}

async function settleLayer(
  context: PipelineContext,
  job: LayerJob,
  isReady: (layer: Digest, analyzers: string) => Promise<boolean>,
): Promise<StepResult> {
  const analyzers = analyzersHash(context.catalogers);
  if (!(await isSettled(context, job, job.layerDigest, analyzers))) {
    const result = await claimAndRead(context, job, analyzers);
    if (result !== undefined) return result === 'ended' ? undefined : result;
  }
  await judgeIfComplete(context, job, (layer) => isReady(layer, analyzers));
  return undefined;
}

/** These analyzers read the layer, or it is known why it can't be read here. */
async function isSettled(
  context: PipelineContext,
  job: LayerJob,
  layer: Digest,
  analyzers: string,
): Promise<boolean> {
  const { blobs } = context.ports;
  return (
    (await hasInventory(blobs, layer, analyzers)) ||
    (await loadLayerIssue(blobs, job.place, job.imageDigest, layer)) !== undefined
  );
}

async function claimAndRead(
  context: PipelineContext,
  job: LayerJob,
  analyzers: string,
): Promise<StepResult | 'ended'> {
  const claim = await claimLayer(context, job.layerDigest);
  if (claim.kind === 'claimed') return { waitMs: context.timings.claimedDelayMs };
  if (claim.kind === 'deadly') {
    throw new PlimsollError(
      'TOO_LARGE',
      `reading layer ${job.layerDigest} ended its process several times, so nobody reads it for two days; look at its size and content before it is pushed or scanned again`,
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
  // Its reader may have ended between the question and the claim.
  if (await isSettled(context, job, job.layerDigest, analyzers)) return undefined;
  const blob = await registries.openBlob(job.place, job.layerDigest);
  if (blob === undefined) {
    if (!missingTooLong(context, job)) return { missing: true };
    const isGone = async () => !(await registries.hasBlob(job.place, job.layerDigest));
    if (!(await endPlace(context, job.place, job.imageDigest, 'gone', isGone))) return { missing: true };
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
async function judgeIfComplete(
  context: PipelineContext,
  job: LayerJob,
  isReady: (layer: Digest) => Promise<boolean>,
): Promise<void> {
  const { blobs, queues, clock } = context.ports;
  const record = await loadRecord(blobs, job.imageDigest);
  if (record === undefined) {
    throw new PlimsollError(
      'NOT_FOUND',
      `the record of image ${job.imageDigest} is gone; push or scan it again`,
    );
  }
  // The last layer first: jobs come about in order, so that it is the one that is most often unread.
  for (const layer of new Set(record.layers.map((entry) => entry.digest).reverse())) {
    if (layer !== job.layerDigest && !(await isReady(layer))) return;
  }
  await queues.send('judge-jobs', {
    ...newEnvelope(clock.now(), job.asOf),
    place: job.place,
    imageDigest: job.imageDigest,
    arrival: job.arrival,
    judgeCause: { kind: 'push' },
  } satisfies JudgeJob);
}
