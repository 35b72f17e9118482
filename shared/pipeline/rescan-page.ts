/** One page of a rescan: judges the verdicts that something touched; what no change touches is read and not written. */
import { PlimsollError } from '../domain/errors.ts';
import { analyzersHash } from '../image/read-layer.ts';
import type { PipelineContext } from './context.ts';
import { hasInventory, loadRecord } from './inventories.ts';
import { engineRevision } from './judge.ts';
import { judgeImage } from './judge-image.ts';
import { type LayerJob, newEnvelope, type RescanPage } from './messages.ts';
import { recordError } from './record-error.ts';
import { countPage, flushRun } from './rescan.ts';
import { indexOf, isBehind, loadRevisions, type Revisions } from './revisions.ts';
import { describe, type StepResult } from './run-step.ts';
import { type RunDocument, runKey } from './state/config.ts';
import type { VerdictDocument } from './state/images.ts';

/** Verdicts that one page message visits. */
const pageSize = 100;

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
