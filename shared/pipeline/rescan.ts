/** rescan: a run visits every stored verdict by pages; what no change touches is read and not written. */
import { shards } from '../domain/digest.ts';
import { analyzersHash } from '../image/read-layer.ts';
import type { PipelineContext } from './context.ts';
import { hasInventory, loadRecord } from './inventories.ts';
import { engineRevision } from './judge.ts';
import { judgeImage } from './judge-image.ts';
import { type DeliveryJob, type LayerJob, newEnvelope, type RescanPage } from './messages.ts';
import { indexOf, isBehind, leastOf, loadRevisions, type Revisions } from './revisions.ts';
import type { StepResult } from './run-step.ts';
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

/** Runs that stand still (a crash lost their messages) go on with the shards that are not done. */
export async function resumeRescans(context: PipelineContext): Promise<void> {
  const stalledAtMs = context.ports.clock.now().getTime() - context.timings.runStalledMs;
  const page = await context.ports.documents.list<RunDocument>({
    container: 'watermarks',
    partition: runsPartition,
    type: 'run',
    equals: { completedAt: null },
    below: { property: 'progressedAt', value: new Date(stalledAtMs).toISOString() },
    limit: pageSize,
  });
  for (const { value } of page.items) await enqueueShards(context, value);
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
    await judgeImage(context, {
      ...newEnvelope(clock.now(), page.asOf),
      place: verdict.place,
      imageDigest: verdict.digest,
      judgeCause: { kind: 'rescan', run: page.run },
      least: page.least,
    });
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

/** Sends what was gathered for each subscription: after the last page, or by the timer where that took too long. */
export async function flushRun(context: PipelineContext, run: string): Promise<void> {
  for (const subscription of await listSubscriptions(context)) {
    await context.ports.queues.send('deliveries', {
      ...newEnvelope(context.ports.clock.now()),
      kind: 'flush',
      subscriptionId: subscription.id,
      run,
    } satisfies DeliveryJob);
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
    await context.ports.queues.send('rescan-pages', page);
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
    };
  });
  return stored?.value;
}

/** The hex digits with the shard's bit set. */
function withShard(doneShards: string, shard: string): string {
  const index = Number.parseInt(shard, 16);
  const at = index >> 2;
  const digit = Number.parseInt(doneShards[at] ?? '0', 16) | (1 << (index & 3));
  return doneShards.slice(0, at) + digit.toString(16) + doneShards.slice(at + 1);
}
