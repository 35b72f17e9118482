/** Puts the configured policy in force: under a new revision where it says something else, and every image is due. */
import { defaultPolicy } from '../policy/default-policy.ts';
import { policyRevisionOf } from '../policy/policy-revision.ts';
import type { PipelineContext } from './context.ts';
import { startRescan } from './rescan.ts';
import { loadRevisions, publishPolicy } from './revisions.ts';

/**
 * Called by a timer, which runs on one instance at a time: while two versions of the app run beside each other, they do
 * not take turns at publishing. Without a configured policy the default one is put in force.
 */
export async function applyPolicy(context: PipelineContext): Promise<void> {
  const wanted = policyRevisionOf(context.policy ?? defaultPolicy, 0);
  const { policy } = await loadRevisions(context, true);
  if (policy.contentHash === wanted.contentHash) return;
  const { revision } = await publishPolicy(context, wanted.policy);
  context.ports.log.info('policy-applied', { policy: wanted.policy.name, revision });
  await startRescan(context, `policy-${revision}`);
}
