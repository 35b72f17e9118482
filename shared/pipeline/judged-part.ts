/** The judged part of a verdict: the stored one where no input differs, else a new one with its report and history item. */
import { encodeKeyHashes } from '../domain/advisory.ts';
import type { ImageRecord } from '../domain/inventory.ts';
import { formatReference } from '../domain/reference.ts';
import { inputsHash, sameButAsOf, type VerdictInputs } from '../domain/verdict.ts';
import type { PipelineContext } from './context.ts';
import { type ImageState, loadLayers, staleIssues } from './image-state.ts';
import { engineRevision, type Judgement, judge } from './judge.ts';
import type { JudgeJob } from './messages.ts';
import { storeReport } from './reports.ts';
import { indexOf, type Revisions } from './revisions.ts';
import { type HistoryDocument, type HistoryRef, historyKey, type VerdictDocument } from './state/images.ts';

/** Most bytes of key hashes that a verdict document carries: some 6,000 packages. Beyond, an image is always affected. */
const maxKeyHashesLength = 32 * 1024;

export type Judged = NonNullable<VerdictDocument['judged']>;

export interface Judging {
  readonly job: JudgeJob;
  readonly record: ImageRecord;
  readonly state: ImageState;
  readonly revisions: Revisions;
  readonly verdict: VerdictDocument | undefined;
}

/** The judged part of the verdict: the stored one where no input but `asOf` differs and time changes nothing. */
export async function judgedOf(context: PipelineContext, judging: Judging): Promise<Judged> {
  const { job, record, state, revisions, verdict } = judging;
  const storedAsOf = verdict?.judged?.inputs.asOf ?? '';
  const asOf = job.asOf > storedAsOf ? job.asOf : storedAsOf;
  const stored = verdict?.judged;
  const index = await indexOf(context, revisions.advisories);
  const inputs: VerdictInputs = {
    inventories: state.hash,
    advisories: { revision: index.revision.revision, contentHash: index.revision.contentHash },
    policy: {
      name: revisions.policy.policy.name,
      revision: revisions.policy.revision,
      contentHash: revisions.policy.contentHash,
    },
    exceptions: revisions.exceptions,
    engine: engineRevision,
    asOf,
  };
  const isValid = stored?.validUntil == null || asOf < stored.validUntil;
  if (stored != null && isValid && sameButAsOf(stored.inputs, inputs)) return stored;
  const judgement = await judge({
    record,
    layers: await loadLayers(context, state),
    inventoriesHash: state.hash,
    index,
    policy: revisions.policy,
    exceptions: revisions.exceptions,
    asOf,
    reference: formatReference({ ...job.place, digest: job.imageDigest }),
    extraIssues: staleIssues(state),
  });
  return writeHistory(context, judging, judgement);
}

/** Report first, then the history item: created once, a conflict means that this was done before. */
async function writeHistory(
  context: PipelineContext,
  judging: Judging,
  judgement: Judgement,
): Promise<Judged> {
  const { job, record } = judging;
  const { documents, blobs, clock } = context.ports;
  const ref: HistoryRef = { digest: job.imageDigest, inputsHash: inputsHash(judgement.inputs) };
  await storeReport(blobs, job.place, ref, judgement.report);
  const history: HistoryDocument = {
    type: 'history',
    digest: job.imageDigest,
    place: job.place,
    inputs: judgement.inputs,
    decision: judgement.decision,
    summary: judgement.summary,
    createdAt: clock.now().toISOString(),
  };
  await documents.create(historyKey(ref, job.place), history);
  const keyHashes = encodeKeyHashes(judgement.packageKeys);
  return {
    inputs: judgement.inputs,
    inputsHash: ref.inputsHash,
    decision: judgement.decision,
    summary: judgement.summary,
    judgedAt: history.createdAt,
    platform: record.platform,
    analyzers: judging.state.analyzers,
    keyHashes: keyHashes.length > maxKeyHashesLength ? null : keyHashes,
    validUntil: judgement.validUntil,
  };
}
