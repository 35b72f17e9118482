/** Runs of the rescan: one document each, with a bit for each shard that is done. */
import { shards } from '../domain/digest.ts';
import type { PipelineContext } from './context.ts';
import { listAll } from './list-all.ts';
import { type DeliveryJob, newEnvelope, type RescanPage } from './messages.ts';
import { leastOf, loadRevisions } from './revisions.ts';
import { type RunDocument, runKey, runsPartition } from './state/config.ts';
import { listSubscriptions } from './subscriptions.ts';
import { updateDocument } from './update-document.ts';

const runsPerPage = 100;

/** Starts a run: its document, then one message per shard. The same name again starts nothing twice that is done. */
export async function startRescan(context: PipelineContext, run: string): Promise<void> {
  const now = context.ports.clock.now();
  const document: RunDocument = {
    type: 'run',
    run,
    asOf: now.toISOString(),
    startedAt: now.toISOString(),
    doneShards: '0'.repeat(shards.length / 4),
    progressedAt: now.toISOString(),
    completedAt: null,
    visited: 0,
    judged: 0,
    failedShards: [],
  };
  const stored = await updateDocument<RunDocument>(context.ports.documents, runKey(run), (current) =>
    current === undefined ? document : undefined,
  );
  await enqueueShards(context, stored?.value ?? document);
}

/** Runs that stand still (a crash lost their messages) go on with the shards that are not done; those that a daily run
 *  has overtaken are closed. */
export async function resumeRescans(context: PipelineContext): Promise<void> {
  const { documents, clock } = context.ports;
  const { runStalledMs, giveUpAfterMs } = context.timings;
  const nowMs = clock.now().getTime();
  for await (const { value } of listAll<RunDocument>(documents, {
    container: 'watermarks',
    partition: runsPartition,
    type: 'run',
    equals: { completedAt: null },
    below: { property: 'progressedAt', value: new Date(nowMs - runStalledMs).toISOString() },
    limit: runsPerPage,
  })) {
    if (nowMs - Date.parse(value.startedAt) >= giveUpAfterMs) await closeRun(context, value.run);
    else await resumeRun(context, value);
  }
}

/** Counts as progress, so that the next timer does not enqueue the same pages again while these wait their turn. */
async function resumeRun(context: PipelineContext, seen: RunDocument): Promise<void> {
  const { documents, clock, log } = context.ports;
  let isMine = false;
  const stored = await updateDocument<RunDocument>(documents, runKey(seen.run), (current) => {
    isMine = current?.progressedAt === seen.progressedAt;
    return current !== undefined && isMine
      ? { ...current, progressedAt: clock.now().toISOString() }
      : undefined;
  });
  if (!isMine || stored === undefined) return;
  log.warn('rescan-resumed', { run: seen.run });
  await enqueueShards(context, stored.value);
}

async function closeRun(context: PipelineContext, run: string): Promise<void> {
  const { documents, clock, log } = context.ports;
  log.error('rescan-given-up', { run });
  await updateDocument<RunDocument>(documents, runKey(run), (current) =>
    current === undefined || current.completedAt !== null
      ? undefined
      : { ...current, completedAt: clock.now().toISOString() },
  );
  await flushRun(context, run);
}

/** Timer: the daily run, named by its day. */
export async function rescanImages(context: PipelineContext): Promise<void> {
  await startRescan(context, `daily-${context.ports.clock.now().toISOString().slice(0, 10)}`);
}

/** Sends what was gathered for each subscription: after the last page, or by the timer where that took too long. */
export async function flushRun(context: PipelineContext, run: string): Promise<void> {
  const { queues, clock } = context.ports;
  for (const { id } of await listSubscriptions(context)) {
    const job: DeliveryJob = { ...newEnvelope(clock.now()), kind: 'flush', subscriptionId: id, run };
    // What other instances gathered a moment ago is visible by then.
    await queues.send('deliveries', job, { delayMs: context.timings.staleRetryMs });
  }
}

async function enqueueShards(context: PipelineContext, run: RunDocument): Promise<void> {
  if (run.completedAt !== null) return;
  const least = leastOf(await loadRevisions(context, true));
  for (const shard of shards) {
    if (withShard(run.doneShards, shard) === run.doneShards) continue;
    const page: RescanPage = {
      ...newEnvelope(context.ports.clock.now(), run.asOf),
      run: run.run,
      shard,
      least,
    };
    // An image judged at this moment by what was in force before is visible by then, or saw what is in force now.
    await context.ports.queues.send('rescan-pages', page, { delayMs: context.timings.staleRetryMs });
  }
}

/** Counts a page, and with the last one of a shard its bit. Returns the run as it stands then. */
export async function countPage(
  context: PipelineContext,
  page: RescanPage,
  visited: number,
  judged: number,
  isLast: boolean,
): Promise<RunDocument | undefined> {
  const stored = await updateDocument<RunDocument>(context.ports.documents, runKey(page.run), (current) => {
    if (current === undefined) return undefined;
    const doneShards = isLast ? withShard(current.doneShards, page.shard) : current.doneShards;
    const isComplete = /^f+$/.test(doneShards);
    const progressedAt = context.ports.clock.now().toISOString();
    const completedAt = current.completedAt ?? (isComplete ? progressedAt : null);
    return {
      ...current,
      doneShards,
      progressedAt,
      completedAt,
      visited: current.visited + visited,
      judged: current.judged + judged,
      failedShards: isLast
        ? current.failedShards.filter((shard) => shard !== page.shard)
        : current.failedShards,
    };
  });
  return stored?.value;
}

/** The hex digits of a run's done shards with this shard's bit set. */
export function withShard(doneShards: string, shard: string): string {
  const index = Number.parseInt(shard, 16);
  const at = index >> 2;
  const digit = Number.parseInt(doneShards[at] ?? '0', 16) | (1 << (index & 3));
  return doneShards.slice(0, at) + digit.toString(16) + doneShards.slice(at + 1);
}
