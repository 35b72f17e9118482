/** Poison: what failed for good shows as the verdict `error` (or a failed delivery) with its cause. */
import { isRetryable, PlimsollError } from '../domain/errors.ts';
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
import { recordError } from './record-error.ts';
import { recordIgnored } from './record-ignored.ts';
import { retryDelayMs } from './run-step.ts';
import { scanLayer } from './scan-layer.ts';
import { type RunDocument, runKey } from './state/config.ts';
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
    await recordMessage(context, queue, message);
  } catch (error) {
    if (!isRetryable(error) || typeof message !== 'object' || message === null) throw error;
    await putBack(context, queue, message);
  }
}

async function recordMessage(context: PipelineContext, queue: QueueName, message: unknown): Promise<void> {
  try {
    switch (queue) {
      case 'image-events':
        return await imageEventFailed(context, parseMessage(imageEventSchema, queue, message));
      case 'layer-jobs':
      case 'refresh-jobs':
        return await layerFailed(context, queue, parseMessage(layerJobSchema, queue, message));
      case 'judge-jobs':
        return await jobFailed(context, queue, parseMessage(judgeJobSchema, queue, message));
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
    if (!(error instanceof PlimsollError) || error.code !== 'INVALID_INPUT') throw error;
    return unreadable(context, queue, message, error.message);
  }
}

/** After five throws the host would move it to a queue that nobody reads. */
async function putBack(context: PipelineContext, queue: QueueName, message: object): Promise<void> {
  const attempt = 'attempt' in message && typeof message.attempt === 'number' ? message.attempt : 0;
  const again = { ...message, attempt: attempt + 1 };
  await context.ports.queues.send(`${queue}-poison`, again, { delayMs: retryDelayMs(context, attempt) });
}

async function imageEventFailed(context: PipelineContext, event: ImageEvent): Promise<void> {
  if (event.kind === 'ignored') return;
  const place = placeOf(context, event.registry, event.repository);
  const cause = event.cause ?? unknownCause;
  if (event.kind === 'push' && place !== undefined && event.digest !== undefined) {
    const image = { place, digest: event.digest };
    return recordError(context, image, { step: 'image-events', cause, since: event.firstEnqueuedAt });
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
  await jobFailed(context, queue, job);
}

function jobFailed(context: PipelineContext, step: QueueName, job: LayerJob | JudgeJob): Promise<void> {
  const image = { place: job.place, digest: job.imageDigest };
  return recordError(context, image, {
    step,
    cause: job.cause ?? unknownCause,
    since: job.firstEnqueuedAt,
  });
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
