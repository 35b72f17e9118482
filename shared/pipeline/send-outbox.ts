/** send-outbox: what a crash left unsent, found by walking the shards. */
import { shards } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { applyPolicy } from './apply-policy.ts';
import type { PipelineContext } from './context.ts';
import { listAll } from './list-all.ts';
import { type DeliveryJob, type JudgeJob, newEnvelope } from './messages.ts';
import { sendOutbox } from './outbox.ts';
import { resumeRescans } from './rescan.ts';
import type { PendingDocument } from './state/deliveries.ts';
import type { VerdictDocument } from './state/images.ts';
import { listSubscriptions } from './subscriptions.ts';

const verdictsPerPage = 100;
const pendingPerPage = 500;

/** Timer. Puts the configured policy in force, sends outboxes older than outboxAgeMs, judges what should have been told by now, flushes gathered changes
 *  that waited longer than gatherMaxMs, takes up rescans that stand still. */
export async function sendOldOutboxes(context: PipelineContext): Promise<void> {
  await applyPolicy(context);
  const nowMs = context.ports.clock.now().getTime();
  const before = new Date(nowMs - context.timings.outboxAgeMs).toISOString();
  for (const shard of shards) await sendShard(context, shard, before);
  const gatheredBefore = new Date(nowMs - context.timings.gatherMaxMs).toISOString();
  for (const subscription of await listSubscriptions(context)) {
    await flushOld(context, subscription.id, gatheredBefore);
  }
  await resumeRescans(context);
}

async function sendShard(context: PipelineContext, shard: string, before: string): Promise<void> {
  const { documents, queues, clock, log } = context.ports;
  for await (const item of listAll<VerdictDocument>(documents, {
    container: 'images',
    partition: shard,
    type: 'verdict',
    below: { property: 'lookAt', value: before },
    limit: verdictsPerPage,
  })) {
    const { value: verdict } = item;
    if (verdict.outbox.length === 0) {
      await queues.send('judge-jobs', {
        ...newEnvelope(clock.now(), verdict.judged?.inputs.asOf),
        place: verdict.place,
        imageDigest: verdict.digest,
        judgeCause: { kind: 'push' },
      } satisfies JudgeJob);
      continue;
    }
    try {
      await sendOutbox(context, item);
    } catch (error) {
      // One outbox that can't be sent holds up no other; a store that is down ends the walk.
      if (!(error instanceof PlimsollError) || error.retryable) throw error;
      log.error('outbox-not-sent', { digest: verdict.digest, detail: error.message });
    }
  }
}

async function flushOld(context: PipelineContext, subscriptionId: string, before: string): Promise<void> {
  const { documents, queues, clock } = context.ports;
  const runs = new Set<string>();
  for await (const { value } of listAll<PendingDocument>(documents, {
    container: 'deliveries',
    partition: subscriptionId,
    type: 'pending',
    equals: { flush: null },
    below: { property: 'createdAt', value: before },
    limit: pendingPerPage,
  })) {
    runs.add(value.run);
  }
  for (const run of runs) {
    const job: DeliveryJob = { ...newEnvelope(clock.now()), kind: 'flush', subscriptionId, run };
    await queues.send('deliveries', job);
  }
}
