/** The changes between two history items: written once as a blob before the verdict that announces them. */
import { createHash } from 'node:crypto';
import type { Change } from '../domain/change.ts';
import { type Digest, hexOf } from '../domain/digest.ts';
import { type Place, placeKey } from '../domain/place.ts';
import type { Decision } from '../domain/verdict.ts';
import { diffReports } from '../reports/changes.ts';
import type { PipelineContext } from './context.ts';
import { createJson, requireJson } from './json-blob.ts';
import type { Cause } from './messages.ts';
import { loadReport } from './reports.ts';
import type { HistoryRef, TagArrival } from './state/images.ts';

export interface ChangeSet {
  readonly place: Place;
  readonly digest: Digest;
  readonly old: HistoryRef | null;
  readonly new: HistoryRef;
  /** The tag under which people know the image; null where none reaches it. */
  readonly tag: string | null;
  readonly decisionBefore: Decision | null;
  readonly decision: Decision;
  readonly cause: Cause;
  /** Subscriptions made after this moment do not hear of it. RFC 3339. */
  readonly createdAt: string;
  /** Each with its id: hash of place, digest, pair, kind and subject. */
  readonly changes: readonly (Change & { readonly id: string })[];
}

/** The pair whose difference is wanted, and what the receiver is told of it. */
export interface ChangeSetRequest {
  readonly place: Place;
  readonly old: HistoryRef | null;
  readonly new: HistoryRef;
  readonly tag: string | null;
  /** Set where a tag moved to a digest that was told before: such a move is told of its own. */
  readonly moved: TagArrival | null;
  readonly cause: Cause;
}

/** Writes the change set once and returns its blob's name; undefined where nothing changed. Who writes first decides
 *  about cause and moment: everybody reads them back. */
export async function storeChangeSet(
  context: PipelineContext,
  request: ChangeSetRequest,
): Promise<string | undefined> {
  const { blobs, clock } = context.ports;
  const { place, old } = request;
  const before = old === null ? undefined : await loadReport(blobs, place, old);
  const after = await loadReport(blobs, place, request.new);
  const changes = diffReports(before, after);
  if (changes.length === 0) return undefined;
  const set: ChangeSet = {
    place,
    digest: request.new.digest,
    old,
    new: request.new,
    tag: request.tag,
    decisionBefore: before?.verdict.decision ?? null,
    decision: after.verdict.decision,
    cause: request.cause,
    createdAt: clock.now().toISOString(),
    changes: changes.map((change) => ({ ...change, id: changeId(request, change) })),
  };
  const name = pairName(request);
  await createJson(blobs, 'changes', name, set);
  return name;
}

/** Throws NOT_FOUND. */
export function loadChangeSet(context: PipelineContext, pair: string): Promise<ChangeSet> {
  return requireJson<ChangeSet>(context.ports.blobs, 'changes', pair);
}

function changeId(request: ChangeSetRequest, change: Change): string {
  const { old, moved } = request;
  return createHash('sha256')
    .update(
      JSON.stringify([
        placeKey(request.place),
        request.new.digest,
        old === null ? null : [old.digest, old.inputsHash],
        request.new.inputsHash,
        change.kind,
        change.subject,
        moved === null ? null : [moved.tag, moved.sequence],
      ]),
    )
    .digest('hex')
    .slice(0, 32);
}

function pairName(request: ChangeSetRequest): string {
  const { old, moved } = request;
  const key = JSON.stringify([old, request.new.inputsHash, moved]);
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 40);
  return `${hexOf(request.new.digest)}/${placeKey(request.place)}/${hash}.json.gz`;
}
