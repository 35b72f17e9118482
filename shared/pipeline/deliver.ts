/** deliver: one try of one delivery; what no receiver took is tried again with growing delays. */
import { PlimsollError } from '../domain/errors.ts';
import type { OutgoingAnswer } from '../ports/sender.ts';
import type { PipelineContext } from './context.ts';
import { signDelivery } from './delivery-body.ts';
import { flushGathered } from './fan-out.ts';
import { type DeliveryJob, newEnvelope } from './messages.ts';
import { describe, type StepResult } from './run-step.ts';
import { type DeliveryDocument, deliveryKey, deliveryTtlSeconds } from './state/deliveries.ts';
import { readSubscription } from './subscriptions.ts';
import { readNewest, updateDocument } from './update-document.ts';

type SendJob = Extract<DeliveryJob, { kind: 'send' }>;

/** HTTP 410: the receiver wants no more of this. */
const goneStatus = 410;

/** Longest delay that a receiver can ask for, in milliseconds. */
const maxAskedDelayMs = 24 * 60 * 60 * 1_000;

const ttl = { ttlSeconds: deliveryTtlSeconds };

/** Step of `deliveries`. */
export function deliver(context: PipelineContext, job: DeliveryJob): Promise<StepResult> {
  return job.kind === 'flush' ? flushGathered(context, job) : send(context, job);
}

async function send(context: PipelineContext, job: SendJob): Promise<StepResult> {
  const key = deliveryKey(job.subscriptionId, job.deliveryId);
  const { documents } = context.ports;
  const stored =
    (await documents.read<DeliveryDocument>(key)) ?? (await readNewest<DeliveryDocument>(documents, key));
  // Written before its first message was: what is not there has expired.
  if (stored === undefined) return undefined;
  // A message is enqueued before the try is counted, and another instance may have counted it a moment ago.
  if (stored.value.tryNumber < job.tryNumber) return { waitMs: context.timings.staleRetryMs };
  const delivery = stored.value;
  if (delivery.status !== 'pending' || delivery.tryNumber > job.tryNumber) return undefined;
  const subscription = await readSubscription(context, job.subscriptionId);
  if (subscription === undefined) {
    await end(context, job, 'cancelled', 'the subscription was deleted');
    return undefined;
  }
  const secret = await context.ports.secrets.read(subscription.secretName);
  if (secret === undefined) {
    return tryAgain(
      context,
      delivery,
      `there is no secret ${subscription.secretName} to sign with`,
      undefined,
    );
  }
  let answer: OutgoingAnswer;
  try {
    answer = await context.ports.sender.post(signDelivery(context, subscription, delivery, secret));
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    return tryAgain(context, delivery, describe(error), error.retryAfterMs);
  }
  if (answer.status >= 200 && answer.status < 300) {
    context.ports.log.info('delivered', { subscription: subscription.id, delivery: job.deliveryId });
    await end(context, job, 'delivered', `answered ${answer.status}`);
    return undefined;
  }
  if (answer.status === goneStatus) {
    await end(context, job, 'failed', `answered ${goneStatus}: the receiver wants no more`);
    return undefined;
  }
  return tryAgain(context, delivery, `answered ${answer.status}`, answer.retryAfterMs);
}

/** Poison: the delivery has failed, and can be driven again. */
export async function failDelivery(context: PipelineContext, job: SendJob, cause: string): Promise<void> {
  await end(context, job, 'failed', cause);
}

/** Tries a delivery anew, whatever became of it, from the first delay on. False where there is no such delivery. */
export async function driveDelivery(
  context: PipelineContext,
  subscriptionId: string,
  deliveryId: string,
): Promise<boolean> {
  const stored = await updateDocument<DeliveryDocument>(
    context.ports.documents,
    deliveryKey(subscriptionId, deliveryId),
    (current) => {
      if (current === undefined) return undefined;
      const tryNumber = current.tryNumber + 1;
      return { ...current, status: 'pending', tryNumber, firstTry: tryNumber };
    },
    ttl,
  );
  if (stored === undefined) return false;
  await enqueue(context, stored.value, stored.value.tryNumber, 0);
  return true;
}

/** Enqueues first, then counts: a crash between makes this try be repeated, of which no answer was recorded. */
async function tryAgain(
  context: PipelineContext,
  delivery: DeliveryDocument,
  outcome: string,
  retryAfterMs: number | undefined,
): Promise<undefined> {
  const { deliveryDelaysMs } = context.timings;
  const delayMs = deliveryDelaysMs[delivery.tryNumber - delivery.firstTry];
  const next = delivery.tryNumber + 1;
  // A receiver may ask for any delay; past a day it would outlive queue and document.
  const askedMs = Math.min(retryAfterMs ?? 0, maxAskedDelayMs);
  if (delayMs !== undefined) await enqueue(context, delivery, next, Math.max(delayMs, askedMs));
  context.ports.log.warn('delivery-not-taken', { subscription: delivery.subscriptionId, outcome });
  await change(context, delivery, (current) => ({
    ...current,
    status: delayMs === undefined ? 'failed' : 'pending',
    tryNumber: delayMs === undefined ? current.tryNumber : next,
    lastTry: { at: context.ports.clock.now().toISOString(), outcome },
  }));
  return undefined;
}

async function end(
  context: PipelineContext,
  job: SendJob,
  status: 'delivered' | 'failed' | 'cancelled',
  outcome: string,
): Promise<void> {
  await change(context, job, (current) => ({
    ...current,
    status,
    lastTry: { at: context.ports.clock.now().toISOString(), outcome },
  }));
}

/** Changes a pending delivery that is still at this try. */
async function change(
  context: PipelineContext,
  at: { readonly subscriptionId: string; readonly deliveryId: string; readonly tryNumber: number },
  to: (current: DeliveryDocument) => DeliveryDocument,
): Promise<void> {
  await updateDocument<DeliveryDocument>(
    context.ports.documents,
    deliveryKey(at.subscriptionId, at.deliveryId),
    (current) =>
      current === undefined || current.status !== 'pending' || current.tryNumber !== at.tryNumber
        ? undefined
        : to(current),
    ttl,
  );
}

async function enqueue(
  context: PipelineContext,
  delivery: DeliveryDocument,
  tryNumber: number,
  delayMs: number,
): Promise<void> {
  // Its age counts from when it is due: a day's delay is no day of failing.
  const dueAt = new Date(context.ports.clock.now().getTime() + delayMs);
  const job: DeliveryJob = {
    ...newEnvelope(dueAt),
    kind: 'send',
    subscriptionId: delivery.subscriptionId,
    deliveryId: delivery.deliveryId,
    tryNumber,
  };
  await context.ports.queues.send('deliveries', job, { delayMs });
}
