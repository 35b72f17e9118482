/** send-outbox: what a crash left unsent, found by walking the shards. */
import { shards } from '../domain/digest.ts';
import type { PipelineContext } from './context.ts';
import { type DeliveryJob, type JudgeJob, newEnvelope } from './messages.ts';
import { sendOutbox } from './outbox.ts';
import { resumeRescans } from './rescan.ts';
import type { PendingDocument } from './state/deliveries.ts';
import type { VerdictDocument } from './state/images.ts';
import { listSubscriptions } from './subscriptions.ts';

const verdictsPerPage = 100;

/** Timer. Sends outboxes older than outboxAgeMs, judges what should have been told by now, flushes gathered changes
 *  that waited longer than gatherMaxMs, takes up rescans that stand still. */
export async function sendOldOutboxes(context: PipelineContext): Promise<void> {
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
  const { documents, queues, clock } = context.ports;
  let cursor: string | undefined;
  do {
    const page = await documents.list<VerdictDocument>({
      container: 'images',
      partition: shard,
      type: 'verdict',
      below: { property: 'lookAt', value: before },
      limit: verdictsPerPage,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const item of page.items) {
      if (item.value.outbox.length > 0) {
        await sendOutbox(context, item);
        continue;
      }
      await queues.send('judge-jobs', {
        ...newEnvelope(clock.now(), item.value.judged?.inputs.asOf),
        place: item.value.place,
        imageDigest: item.value.digest,
        judgeCause: { kind: 'push' },
      } satisfies JudgeJob);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}

async function flushOld(context: PipelineContext, subscriptionId: string, before: string): Promise<void> {
  const { documents, queues, clock } = context.ports;
  const page = await documents.list<PendingDocument>({
    container: 'deliveries',
    partition: subscriptionId,
    type: 'pending',
    equals: { flush: null },
    below: { property: 'createdAt', value: before },
    limit: verdictsPerPage,
  });
  for (const run of new Set(page.items.map((item) => item.value.run))) {
    const job: DeliveryJob = { ...newEnvelope(clock.now()), kind: 'flush', subscriptionId, run };
    await queues.send('deliveries', job);
  }
}
