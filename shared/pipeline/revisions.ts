/** The revisions that judging rests on: which are in force, loaded for a minute, reloaded where a job knows better. */
import { emptyIndex } from '../advisories/empty-index.ts';
import type { IndexStore, PublishedRevision } from '../advisories/index-store.ts';
import { openIndex } from '../advisories/open-index.ts';
import type { AdvisoryIndex } from '../domain/advisory.ts';
import { digestOf } from '../domain/digest.ts';
import type { Policy, PolicyRevision } from '../domain/policy.ts';
import type { Revision, VerdictInputs } from '../domain/verdict.ts';
import { defaultPolicy } from '../policy/default-policy.ts';
import { policyRevisionOf } from '../policy/policy-revision.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { PipelineContext } from './context.ts';
import type { LeastRevisions } from './messages.ts';
import { type AdvisoriesDocument, advisoriesKey, type PolicyDocument, policyKey } from './state/config.ts';
import { updateDocument } from './update-document.ts';

export interface Revisions {
  /** undefined before the first sync. */
  readonly advisories: PublishedRevision | undefined;
  readonly policy: PolicyRevision;
  readonly exceptions: Revision;
}

export interface CachedRevisions {
  readonly revisions: Revisions;
  readonly loadedAtMs: number;
}

/** Opened indexes that an instance keeps: the one in force and the one before, for jobs under way. */
const maxOpenIndexes = 2;

/** No exceptions yet: revision 0 of an empty list. */
const noExceptions: Revision = { revision: 0, contentHash: digestOf('[]') };

/** The revisions in force; at most configCacheMs old, or read now where `fresh`. */
export async function loadRevisions(context: PipelineContext, fresh: boolean): Promise<Revisions> {
  const nowMs = context.ports.clock.now().getTime();
  const cached = context.caches.revisions;
  if (!fresh && cached !== undefined && nowMs - cached.loadedAtMs < context.timings.configCacheMs) {
    return cached.revisions;
  }
  const { documents } = context.ports;
  const [advisories, policy] = await Promise.all([
    documents.read<AdvisoriesDocument<PublishedRevision>>(advisoriesKey),
    documents.read<PolicyDocument>(policyKey),
  ]);
  const revisions: Revisions = {
    advisories: advisories?.value.published,
    policy: policy?.value ?? policyRevisionOf(defaultPolicy, 0),
    exceptions: noExceptions,
  };
  context.caches.revisions = { revisions, loadedAtMs: nowMs };
  return revisions;
}

/** The numbers of the revisions, for a job that is about them; 0 before the first sync. */
export function leastOf(revisions: Revisions): LeastRevisions {
  return {
    advisories: revisions.advisories?.revision ?? 0,
    policy: revisions.policy.revision,
    exceptions: revisions.exceptions.revision,
  };
}

/** The numbers that a verdict's inputs name. */
export function leastOfInputs(inputs: VerdictInputs): LeastRevisions {
  return {
    advisories: inputs.advisories.revision ?? 0,
    policy: inputs.policy.revision,
    exceptions: inputs.exceptions.revision,
  };
}

/** True where one of the revisions is lower than it must be: then this instance reads an old state. */
export function isBehind(revisions: Revisions, least: LeastRevisions): boolean {
  const now = leastOf(revisions);
  return now.advisories < least.advisories || now.policy < least.policy || now.exceptions < least.exceptions;
}

/** The index of a revision, opened once per instance; an empty one before the first sync. */
export async function indexOf(
  context: PipelineContext,
  published: PublishedRevision | undefined,
): Promise<AdvisoryIndex> {
  if (published === undefined) return emptyIndex;
  const { indexes } = context.caches;
  const opened = indexes.get(published.revision);
  if (opened !== undefined) return opened;
  const index = await openIndex(indexStore(context.ports.blobs), published);
  indexes.set(published.revision, index);
  for (const revision of [...indexes.keys()].sort((a, b) => a - b).slice(0, -maxOpenIndexes)) {
    indexes.delete(revision);
  }
  return index;
}

/** The advisories' blobs as the index reads and writes them. */
export function indexStore(blobs: Blobs): IndexStore {
  return {
    read: (name, maxBytes) => blobs.read('advisories', name, maxBytes),
    createOnce: (name, bytes) => blobs.createOnce('advisories', name, bytes),
  };
}

/** Puts a policy in force under the next revision; the same policy again changes nothing. Returns the revision. */
export async function publishPolicy(context: PipelineContext, policy: Policy): Promise<PolicyRevision> {
  const stored = await updateDocument<PolicyDocument>(context.ports.documents, policyKey, (current) => {
    const next = policyRevisionOf(policy, (current?.revision ?? 0) + 1);
    return current?.contentHash === next.contentHash ? undefined : { type: 'policy', ...next };
  });
  context.caches.revisions = undefined;
  return stored?.value ?? policyRevisionOf(policy, 1);
}
