/** judge-image: from stored inventories and revisions to a verdict, its history and what is to be told of it. */
import { PlimsollError } from '../domain/errors.ts';
import type { ImageRecord } from '../domain/inventory.ts';
import { repositoryKey } from '../domain/place.ts';
import type { PipelineContext } from './context.ts';
import { type ImageState, imageState, isUpToDate } from './image-state.ts';
import { loadRecord } from './inventories.ts';
import { type Judged, judgedOf } from './judged-part.ts';
import { judgedPlace } from './judged-place.ts';
import { type JudgeJob, newEnvelope } from './messages.ts';
import { sendOutbox } from './outbox.ts';
import { isBehind, leastOf, leastOfInputs, loadRevisions, type Revisions } from './revisions.ts';
import type { StepResult } from './run-step.ts';
import { type HistoryRef, type VerdictDocument, verdictKey } from './state/images.ts';
import type { PlaceDocument } from './state/places.ts';
import { planTellings, type Tellings } from './tellings.ts';

/** How often a judge starts anew because others wrote the verdict meanwhile. */
const maxConflicts = 6;

/** Step of `judge-jobs`; rescan pages judge with it too. Throws NOT_FOUND where the image's record is gone. */
export async function judgeImage(context: PipelineContext, job: JudgeJob): Promise<StepResult> {
  // A blob, so it is there for every instance once the job is.
  const record = await loadRecord(context.ports.blobs, job.imageDigest);
  if (record === undefined) {
    throw new PlimsollError(
      'NOT_FOUND',
      `the record of image ${job.imageDigest} is gone; push or scan it again`,
    );
  }
  for (let conflicts = 0; conflicts < maxConflicts; conflicts += 1) {
    if ((await judgeOnce(context, job, record)) !== 'conflict') return undefined;
  }
  throw new PlimsollError('CONFLICT', `the verdict of ${job.imageDigest} is being written by others`, {
    retryable: true,
  });
}

async function judgeOnce(
  context: PipelineContext,
  job: JudgeJob,
  record: ImageRecord,
): Promise<'conflict' | undefined> {
  const { documents } = context.ports;
  const key = verdictKey(job.imageDigest, job.place);
  let stored = await documents.read<VerdictDocument>(key);
  if (stored !== undefined && stored.value.outbox.length > 0) stored = await sendOutbox(context, stored);
  const place = await judgedPlace(context, job, stored?.value);
  // Somebody else's layers are judged for nobody: whoever proves them enqueues another job.
  if (place === undefined || !place.proven) return undefined;
  const state = await imageState(context, job.place, record, stored?.value.judged?.inputs.inventories);
  if (state === undefined) return undefined;
  const revisions = await revisionsFor(context, job, stored?.value);
  const judged = await judgedOf(context, { job, record, state, revisions, verdict: stored?.value });
  const current: HistoryRef = { digest: job.imageDigest, inputsHash: judged.inputsHash };
  const tellings = await planTellings(context, {
    placeDocument: place,
    image: { digest: job.imageDigest, platform: record.platform },
    verdict: stored?.value,
    current,
    cause: job.judgeCause,
  });
  const next = nextVerdict(context, job, place, stored?.value, judged, tellings);
  if (next !== undefined) {
    const etag =
      stored === undefined
        ? await documents.create(key, next)
        : await documents.replace(key, next, stored.etag);
    if (etag === undefined) return 'conflict';
    context.ports.log.info('image-judged', {
      repository: job.place.repository,
      digest: job.imageDigest,
      decision: judged.decision,
      seq: next.seq,
    });
    if (next.outbox.length > 0) await sendOutbox(context, { value: next, etag });
  }
  await lookOnceMore(context, job, record, state, revisions);
  if (tellings.told === null) await tellLater(context, job, tellings);
  return undefined;
}

/** The document to write, or undefined where nothing would change. */
function nextVerdict(
  context: PipelineContext,
  job: JudgeJob,
  place: PlaceDocument,
  verdict: VerdictDocument | undefined,
  judged: Judged,
  tellings: Tellings,
): VerdictDocument | undefined {
  const lookAt = tellings.entries.length > 0 ? context.ports.clock.now().toISOString() : tellings.lookAt;
  const ended = place.state === 'ended' ? place.ended : null;
  const isSame =
    verdict !== undefined &&
    verdict.judged === judged &&
    verdict.error === null &&
    verdict.outbox.length === 0 &&
    tellings.entries.length === 0 &&
    verdict.told === tellings.told &&
    (verdict.lookAt === null) === (lookAt === null) &&
    (verdict.ended === null) === (ended === null);
  if (isSame) return undefined;
  return {
    type: 'verdict',
    digest: job.imageDigest,
    place: job.place,
    seq: (verdict?.seq ?? 0) + 1,
    judged,
    told: tellings.told,
    outbox: [...(verdict?.outbox ?? []), ...tellings.entries],
    lookAt,
    error: null,
    ended,
  };
}

/** Revisions at least as new as those that the stored verdict and the job name: an instance never judges by an older
 *  state. */
async function revisionsFor(
  context: PipelineContext,
  job: JudgeJob,
  verdict: VerdictDocument | undefined,
): Promise<Revisions> {
  const inputs = verdict?.judged?.inputs;
  const isOld = (revisions: Revisions): boolean =>
    (inputs !== undefined && isBehind(revisions, leastOfInputs(inputs))) ||
    (job.least !== undefined && isBehind(revisions, job.least));
  const cached = await loadRevisions(context, false);
  if (!isOld(cached)) return cached;
  const fresh = await loadRevisions(context, true);
  if (!isOld(fresh)) return fresh;
  throw new PlimsollError(
    'STORE_UNAVAILABLE',
    'the store shows revisions older than those of a stored verdict',
    {
      retryable: true,
      retryAfterMs: context.timings.staleRetryMs,
    },
  );
}

/** What was published while this judge ran is judged too, by another job. */
async function lookOnceMore(
  context: PipelineContext,
  job: JudgeJob,
  record: ImageRecord,
  state: ImageState,
  revisions: Revisions,
): Promise<void> {
  const now = await loadRevisions(context, true);
  const after = isUpToDate(state) ? state : await imageState(context, job.place, record);
  const isSame =
    now.advisories?.revision === revisions.advisories?.revision &&
    now.policy.revision === revisions.policy.revision &&
    now.exceptions.revision === revisions.exceptions.revision &&
    (after === undefined || after.hash === state.hash);
  if (isSame) return;
  context.ports.log.info('judged-again', { repository: repositoryKey(job.place) });
  await context.ports.queues.send('judge-jobs', {
    ...job,
    ...newEnvelope(context.ports.clock.now(), job.asOf),
    least: leastOf(now),
  } satisfies JudgeJob);
}

/** A digest that no tag reaches is looked at again when it is to be told all the same. */
async function tellLater(context: PipelineContext, job: JudgeJob, tellings: Tellings): Promise<void> {
  if (tellings.lookAt === null) return;
  const delayMs = Math.max(0, Date.parse(tellings.lookAt) - context.ports.clock.now().getTime());
  await context.ports.queues.send('judge-jobs', { ...job, attempt: 0 }, { delayMs });
}
