/** Documents of the containers `config` and `watermarks`: revisions of policy, exceptions and advisories, subscriptions, runs. */
import type { Policy } from '../../domain/policy.ts';
import type { DocumentKey } from '../../ports/documents.ts';

export interface PolicyDocument {
  readonly type: 'policy';
  readonly policy: Policy;
  readonly revision: number;
  readonly contentHash: string;
}

export const policyKey: DocumentKey = { container: 'config', partition: 'policies', id: 'current' };

/** Partition of subscriptions in `config`; ids are `subscription.<id>`. */
export const subscriptionsPartition = 'subscriptions';

export function subscriptionKey(id: string): DocumentKey {
  return { container: 'config', partition: subscriptionsPartition, id: `subscription.${id}` };
}

/** One run of the rescan: which shards are done. */
export interface RunDocument {
  readonly type: 'run';
  readonly run: string;
  readonly asOf: string;
  readonly startedAt: string;
  readonly progressedAt: string;
  /** 64 hex digits, one bit a shard. */
  readonly doneShards: string;
  readonly completedAt: string | null;
  /** Images visited, judged and failed so far. */
  readonly visited: number;
  readonly judged: number;
  /** Shards whose page went to the poison queue. */
  readonly failedShards: readonly string[];
}

/** Partition of the runs in `watermarks`. */
export const runsPartition = 'rescan';

export function runKey(run: string): DocumentKey {
  return { container: 'watermarks', partition: runsPartition, id: `run.${run}` };
}

/** Which revision of the advisories is in force. */
export interface AdvisoriesDocument<Published> {
  readonly type: 'advisories';
  readonly published: Published;
  readonly syncedAt: string;
}

export const advisoriesKey: DocumentKey = { container: 'watermarks', partition: 'advisories', id: 'current' };

/** Every revision that was published, so that a verdict can be replayed against its own. */
export function advisoriesRevisionKey(revision: number): DocumentKey {
  return { container: 'watermarks', partition: 'advisories', id: `revision.${revision}` };
}
