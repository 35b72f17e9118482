/** Poison: what failed for good shows as the verdict `error` (or a failed delivery) with its cause. */
import type { Digest } from '../domain/digest.ts';
import type { Place } from '../domain/place.ts';
import { analyzersHash } from '../image/read-layer.ts';
import type { QueueName } from '../ports/queue.ts';
import { type PipelineContext, placeOf } from './context.ts';
import { failDelivery } from './deliver.ts';
import { hasInventory, loadLayerIssue } from './inventories.ts';
import {
  type DeliveryJob,
  deliveryJobSchema,
  type ImageEvent,
  imageEventSchema,
  type JudgeJob,
  judgeJobSchema,
  type LayerJob,
  layerJobSchema,
  newEnvelope,
  parseMessage,
  type RescanPage,
  rescanPageSchema,
} from './messages.ts';
import { recordIgnored } from './plan-image.ts';
import { scanLayer } from './scan-layer.ts';
import { type RunDocument, runKey } from './state/config.ts';
import { type VerdictDocument, verdictKey } from './state/images.ts';
import { updateDocument } from './update-document.ts';

/** What the host cannot say of a message that it moved after five tries. */
const unknownCause = 'failed five times for a reason that the logs hold';

/**
 * Step of every `<queue>-poison`. Looks first whether the work was done meanwhile: then it records nothing, so a late
 * twin never turns a verdict into `error`. A message that cannot be read is kept among the ignored events.
 */
export async function recordFailure(
  context: PipelineContext,
  queue: QueueName,
  message: unknown,
): Promise<void> {
  try {
    switch (queue) {
      case 'image-events':
        return await imageEventFailed(context, parseMessage(imageEventSchema, queue, message));
      case 'layer-jobs':
      case 'refresh-jobs':
        return await layerFailed(context, queue, parseMessage(layerJobSchema, queue, message));
      case 'judge-jobs':
        return await judgeFailed(context, parseMessage(judgeJobSchema, queue, message));
      case 'rescan-pages':
        return await pageFailed(context, parseMessage(rescanPageSchema, queue, message));
      case 'deliveries':
        return await deliveryFailed(context, parseMessage(deliveryJobSchema, queue, message));
      case 'registry-events':
        return await unreadable(context, queue, message, 'the event could not be used');
      default:
        return queue satisfies never;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'INVALID_INPUT') {
      return unreadable(context, queue, message, error.message);
    }
    throw error;
  }
}

async function imageEventFailed(context: PipelineContext, event: ImageEvent): Promise<void> {
  if (event.kind === 'ignored') return;
  const place = placeOf(context, event.registry, event.repository);
  const cause = event.cause ?? unknownCause;
  if (event.kind === 'push' && place !== undefined && event.digest !== undefined) {
    return recordError(context, place, event.digest, 'image-events', cause, event.firstEnqueuedAt);
  }
  await recordIgnored(context, event, 'failed', cause);
}

async function layerFailed(context: PipelineContext, queue: QueueName, job: LayerJob): Promise<void> {
  const { blobs } = context.ports;
  const wasDone =
    (await hasInventory(blobs, job.layerDigest, analyzersHash(context.catalogers))) ||
    (await loadLayerIssue(blobs, job.place, job.imageDigest, job.layerDigest)) !== undefined;
  if (wasDone) {
    // The layer is read; what may be left of the job is to see that the image is judged.
    await scanLayer(context, job);
    return;
  }
  // The older reading of a layer that is only to be refreshed still stands, with its coverage issue.
  if (queue === 'refresh-jobs') return;
  await recordError(
    context,
    job.place,
    job.imageDigest,
    queue,
    job.cause ?? unknownCause,
    job.firstEnqueuedAt,
  );
}

function judgeFailed(context: PipelineContext, job: JudgeJob): Promise<void> {
  const cause = job.cause ?? unknownCause;
  return recordError(context, job.place, job.imageDigest, 'judge-jobs', cause, job.firstEnqueuedAt);
}

async function pageFailed(context: PipelineContext, page: RescanPage): Promise<void> {
  await updateDocument<RunDocument>(context.ports.documents, runKey(page.run), (current) =>
    current === undefined || current.failedShards.includes(page.shard)
      ? undefined
      : { ...current, failedShards: [...current.failedShards, page.shard] },
  );
}

async function deliveryFailed(context: PipelineContext, job: DeliveryJob): Promise<void> {
  // What a flush would have gathered still waits: the outbox timer enqueues it again.
  if (job.kind === 'flush') return;
  await failDelivery(context, job, job.cause ?? unknownCause);
}

/** Writes the error beside what is known; a verdict that was judged after the message was made stays as it is. */
async function recordError(
  context: PipelineContext,
  place: Place,
  digest: Digest,
  step: QueueName,
  cause: string,
  since: string,
): Promise<void> {
  const error = { cause, step, at: context.ports.clock.now().toISOString() };
  await updateDocument<VerdictDocument>(context.ports.documents, verdictKey(digest, place), (current) => {
    if (current === undefined) {
      return {
        type: 'verdict',
        digest,
        place,
        seq: 1,
        judged: null,
        told: null,
        outbox: [],
        lookAt: null,
        error,
        ended: null,
      };
    }
    const wasDone = current.judged !== null && current.judged.judgedAt >= since;
    return wasDone ? undefined : { ...current, seq: current.seq + 1, error };
  });
}

async function unreadable(
  context: PipelineContext,
  queue: QueueName,
  message: unknown,
  cause: string,
): Promise<void> {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  const event: ImageEvent = {
    ...newEnvelope(context.ports.clock.now()),
    kind: 'ignored',
    reason: 'failed',
    eventId: `${queue} ${text.slice(0, 2_000)}`,
  };
  await recordIgnored(context, event, 'failed', `${queue}: ${cause}`);
}
