/** From a change set to each subscription that wants some of it: at once for a push, gathered for a rescan. */
import { createHash } from 'node:crypto';
import { mapConcurrently } from '../base/map-concurrently.ts';
import type { Subscription } from '../domain/subscription.ts';
import { subscriptionWants } from '../domain/subscription.ts';
import { type ChangeSet, loadChangeSet } from './change-set.ts';
import type { PipelineContext } from './context.ts';
import { renderDelivery } from './delivery-body.ts';
import { listAll } from './list-all.ts';
import { type DeliveryJob, newEnvelope } from './messages.ts';
import type { StepResult } from './run-step.ts';
import { type RunDocument, runKey } from './state/config.ts';
import {
  type DeliveryDocument,
  deliveryKey,
  deliveryTtlSeconds,
  type FlushDocument,
  flushKey,
  type PendingDocument,
  pendingKey,
} from './state/deliveries.ts';
import { listSubscriptions, readSubscription } from './subscriptions.ts';
import { updateDocument } from './update-document.ts';

/** Pairs that one delivery gathers: their names fit into one flush document. */
const maxPairsPerFlush = 5_000;
/** Changes that one delivery gathers, some 40 MB in memory; a single image with more is a delivery of its own. */
const maxChangesPerFlush = 100_000;
/** Change sets that are read at one time. */
const maxSetsInFlight = 8;
const pendingPerPage = 500;

const ttl = { ttlSeconds: deliveryTtlSeconds };

/** Tells the change set to every subscription; repeated after a crash it makes the same deliveries again. */
export async function fanOut(context: PipelineContext, pair: string): Promise<void> {
  const set = await loadChangeSet(context, pair);
  for (const subscription of await listSubscriptions(context)) {
    // It hears of what was written after it was made.
    const wanted = wantedChanges(subscription, set).length;
    if (subscription.createdAt > set.createdAt || wanted === 0) continue;
    if (set.cause.kind === 'rescan') await gather(context, subscription.id, pair, wanted, set.cause.run);
    else await startDelivery(context, subscription, [pair]);
  }
}

/** Step of `deliveries`, kind `flush`: one delivery of all that a run has for a subscription. */
export async function flushGathered(
  context: PipelineContext,
  job: Extract<DeliveryJob, { kind: 'flush' }>,
): Promise<StepResult> {
  const subscription = await readSubscription(context, job.subscriptionId);
  if (subscription === undefined) return undefined;
  const flushes = await listFlushes(context, job.subscriptionId, job.run);
  // A flush that a crash cut short is finished; a finished one changes nothing.
  for (const flush of flushes) await finishFlush(context, subscription, flush);
  const taken = new Set(flushes.flatMap((flush) => flush.pairs));
  const { pairs, hasMore } = await waitingPairs(context, job, taken);
  if (pairs.length === 0) return undefined;
  const number = flushes.length;
  const flush: FlushDocument = { type: 'flush', run: job.run, number, pairs: pairs.sort() };
  const created = await context.ports.documents.create(
    flushKey(job.subscriptionId, job.run, number),
    flush,
    ttl,
  );
  // Somebody else took a share at the same moment: look again after that is visible.
  if (created === undefined) return { waitMs: context.timings.staleRetryMs };
  await finishFlush(context, subscription, flush);
  return hasMore ? { waitMs: 0 } : undefined;
}

/** The changes of a set that a subscription is told. */
export function wantedChanges(subscription: Subscription, set: ChangeSet): ChangeSet['changes'] {
  return set.changes.filter((change) => subscriptionWants(subscription, set.place, change));
}

/** Fixes the delivery of these pairs (its id hashes the change ids) and enqueues its first try. */
async function startDelivery(
  context: PipelineContext,
  subscription: Subscription,
  pairs: readonly string[],
): Promise<void> {
  const sets = await mapConcurrently(pairs, maxSetsInFlight, async (pair) => {
    const set = await loadChangeSet(context, pair);
    return { ...set, changes: wantedChanges(subscription, set) };
  });
  const told = sets.filter((set) => set.changes.length > 0);
  const ids = told.flatMap((set) => set.changes.map((change) => change.id)).sort();
  if (ids.length === 0) return;
  const hash = createHash('sha256')
    .update(JSON.stringify([subscription.id, ids]))
    .digest('hex');
  const deliveryId = `msg_${hash.slice(0, 40)}`;
  const key = deliveryKey(subscription.id, deliveryId);
  const document: DeliveryDocument = {
    type: 'delivery',
    deliveryId,
    subscriptionId: subscription.id,
    status: 'pending',
    pairs,
    changeCount: ids.length,
    body: renderDelivery(context, subscription, told),
    tryNumber: 0,
    firstTry: 0,
    createdAt: context.ports.clock.now().toISOString(),
    lastTry: null,
  };
  const created = await context.ports.documents.create(key, document, ttl);
  if (created === undefined) {
    const stored = await context.ports.documents.read<DeliveryDocument>(key);
    // Made by an earlier run of this step, which may have ended before its message was sent.
    const isUntried =
      stored === undefined || (stored.value.status === 'pending' && stored.value.tryNumber === 0);
    if (!isUntried) return;
  }
  await context.ports.queues.send('deliveries', {
    ...newEnvelope(context.ports.clock.now()),
    kind: 'send',
    subscriptionId: subscription.id,
    deliveryId,
    tryNumber: 0,
  } satisfies DeliveryJob);
}

/** Notes the pair for the subscription until the run ends; where it ended already the flush follows at once. */
async function gather(
  context: PipelineContext,
  subscriptionId: string,
  pair: string,
  changeCount: number,
  run: string,
): Promise<void> {
  const { documents, clock, queues } = context.ports;
  const pending: PendingDocument = {
    type: 'pending',
    run,
    pair,
    changeCount,
    flush: null,
    createdAt: clock.now().toISOString(),
  };
  await documents.create(pendingKey(subscriptionId, pairHash(pair)), pending, ttl);
  const stored = await documents.read<RunDocument>(runKey(run));
  if (stored !== undefined && stored.value.completedAt === null) return;
  const job: DeliveryJob = { ...newEnvelope(clock.now()), kind: 'flush', subscriptionId, run };
  await queues.send('deliveries', job, { delayMs: context.timings.staleRetryMs });
}

async function finishFlush(
  context: PipelineContext,
  subscription: Subscription,
  flush: FlushDocument,
): Promise<void> {
  await startDelivery(context, subscription, flush.pairs);
  for (const pair of flush.pairs) {
    await updateDocument<PendingDocument>(
      context.ports.documents,
      pendingKey(subscription.id, pairHash(pair)),
      (current) =>
        current === undefined || current.flush !== null ? undefined : { ...current, flush: flush.number },
      ttl,
    );
  }
}

async function listFlushes(
  context: PipelineContext,
  subscriptionId: string,
  run: string,
): Promise<readonly FlushDocument[]> {
  const flushes: FlushDocument[] = [];
  for await (const { value } of listAll<FlushDocument>(context.ports.documents, {
    container: 'deliveries',
    partition: subscriptionId,
    type: 'flush',
    equals: { run },
    limit: pendingPerPage,
  })) {
    flushes.push(value);
  }
  return flushes.sort((a, b) => a.number - b.number);
}

/** As many pairs as one delivery holds of those that no flush took. */
async function waitingPairs(
  context: PipelineContext,
  job: { readonly subscriptionId: string; readonly run: string },
  taken: ReadonlySet<string>,
): Promise<{ readonly pairs: string[]; readonly hasMore: boolean }> {
  const pairs: string[] = [];
  let changes = 0;
  for await (const { value } of listAll<PendingDocument>(context.ports.documents, {
    container: 'deliveries',
    partition: job.subscriptionId,
    type: 'pending',
    equals: { run: job.run, flush: null },
    limit: pendingPerPage,
  })) {
    if (taken.has(value.pair)) continue;
    changes += value.changeCount;
    const isFull = pairs.length >= maxPairsPerFlush || changes > maxChangesPerFlush;
    if (isFull && pairs.length > 0) return { pairs, hasMore: true };
    pairs.push(value.pair);
  }
  return { pairs, hasMore: false };
}

function pairHash(pair: string): string {
  return createHash('sha256').update(pair).digest('hex').slice(0, 40);
}
