/** rescan: a run visits every stored verdict by pages; what no change touches is read and not written. */
import { shards } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { analyzersHash } from '../image/read-layer.ts';
import type { PipelineContext } from './context.ts';
import { hasInventory, loadRecord } from './inventories.ts';
import { engineRevision } from './judge.ts';
import { judgeImage } from './judge-image.ts';
import { listAll } from './list-all.ts';
import { type DeliveryJob, type LayerJob, newEnvelope, type RescanPage } from './messages.ts';
import { recordError } from './record-error.ts';
import { indexOf, isBehind, leastOf, loadRevisions, type Revisions } from './revisions.ts';
import { describe, type StepResult } from './run-step.ts';
import { type RunDocument, runKey, runsPartition } from './state/config.ts';
import type { VerdictDocument } from './state/images.ts';
import { listSubscriptions } from './subscriptions.ts';
import { updateDocument } from './update-document.ts';

/** Verdicts that one page message visits. */
const pageSize = 100;

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
    limit: pageSize,
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

/** Step of `rescan-pages`: judges what is due of one page itself and goes on by a new message, so that nothing stands
 *  in the pushes' queues. */
export async function rescanPage(context: PipelineContext, page: RescanPage): Promise<StepResult> {
  const { documents, queues, clock } = context.ports;
  const [revisions, run] = await Promise.all([
    loadRevisions(context, true),
    documents.read<RunDocument>(runKey(page.run)),
  ]);
  // What this page is about was written by another instance: it may not be visible here yet.
  if (run === undefined || isBehind(revisions, page.least)) return { waitMs: context.timings.staleRetryMs };
  const found = await documents.list<VerdictDocument>({
    container: 'images',
    partition: page.shard,
    type: 'verdict',
    limit: pageSize,
    ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
  });
  let judged = 0;
  for (const { value: verdict } of found.items) {
    if (verdict.ended !== null || verdict.judged === null) continue;
    await refreshStale(context, verdict, page);
    if (!(await isDue(context, verdict, revisions, page.asOf))) continue;
    judged += 1;
    await judgeOrRecord(context, verdict, page);
  }
  if (found.cursor !== undefined) {
    await queues.send('rescan-pages', {
      ...page,
      ...newEnvelope(clock.now(), page.asOf),
      cursor: found.cursor,
    } satisfies RescanPage);
  }
  const counted = await countPage(context, page, found.items.length, judged, found.cursor === undefined);
  if (counted?.completedAt != null) await flushRun(context, page.run);
  return undefined;
}

/** One image that can't be judged does not keep those behind it from being judged: it shows the error. */
async function judgeOrRecord(
  context: PipelineContext,
  verdict: VerdictDocument,
  page: RescanPage,
): Promise<void> {
  const { clock } = context.ports;
  const envelope = newEnvelope(clock.now(), page.asOf);
  try {
    await judgeImage(context, {
      ...envelope,
      place: verdict.place,
      imageDigest: verdict.digest,
      judgeCause: { kind: 'rescan', run: page.run },
      least: page.least,
    });
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.retryable) throw error;
    await recordError(context, verdict, {
      step: 'rescan-pages',
      cause: describe(error),
      since: envelope.firstEnqueuedAt,
    });
  }
}

/** Sends what was gathered for each subscription: after the last page, or by the timer where that took too long. */
async function flushRun(context: PipelineContext, run: string): Promise<void> {
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

/** Whether anything moved that this verdict rests on since it was judged. */
async function isDue(
  context: PipelineContext,
  verdict: VerdictDocument,
  revisions: Revisions,
  asOf: string,
): Promise<boolean> {
  const { judged } = verdict;
  if (judged === null) return false;
  const { inputs } = judged;
  if (inputs.engine < engineRevision) return true;
  if (inputs.policy.contentHash !== revisions.policy.contentHash) return true;
  if (inputs.exceptions.contentHash !== revisions.exceptions.contentHash) return true;
  if (judged.validUntil !== null && asOf >= judged.validUntil) return true;
  const now = revisions.advisories?.revision ?? 0;
  const then = inputs.advisories.revision ?? 0;
  if (then >= now) return false;
  if (judged.keyHashes === null) return true;
  return (await indexOf(context, revisions.advisories)).changedSince(then, judged.keyHashes);
}

/** Layers that newer analyzers have not read are read again in the background, from a queue of their own. */
async function refreshStale(
  context: PipelineContext,
  verdict: VerdictDocument,
  page: RescanPage,
): Promise<void> {
  const { blobs, queues, clock } = context.ports;
  const analyzers = analyzersHash(context.catalogers);
  if (verdict.judged?.analyzers === analyzers) return;
  const record = await loadRecord(blobs, verdict.digest);
  let delayMs = 0;
  for (const layer of new Set(record?.layers.map((entry) => entry.digest))) {
    if (await hasInventory(blobs, layer, analyzers)) continue;
    const job: LayerJob = {
      ...newEnvelope(clock.now(), page.asOf),
      place: verdict.place,
      imageDigest: verdict.digest,
      layerDigest: layer,
    };
    await queues.send('refresh-jobs', job, { delayMs });
    delayMs += context.timings.refreshDelayMs;
  }
}

async function countPage(
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
