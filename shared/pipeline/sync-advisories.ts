/** sync-advisories: reads the feed, publishes a revision where something changed, and starts a rescan for it. */
import type { PublishedRevision } from '../advisories/index-store.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { PipelineContext } from './context.ts';
import { startRescan } from './rescan.ts';
import { indexStore } from './revisions.ts';
import { type AdvisoriesDocument, advisoriesKey, advisoriesRevisionKey } from './state/config.ts';
import { updateDocument } from './update-document.ts';

export interface SyncOutcome {
  readonly revision: number;
  /** False where the feed gave what was in force already. */
  readonly isNew: boolean;
  readonly skipped: Readonly<Record<string, number>>;
}

/**
 * Timer. Index first, then the pointer with If-Match, then the rescan: killed anywhere, the old revision stays in
 * force, or the new one is and the next run starts its rescan. Throws ADVISORIES_UNREACHABLE, ADVISORIES_INVALID.
 */
export async function syncAdvisories(context: PipelineContext): Promise<SyncOutcome | undefined> {
  const { advisoryFeed: feed, ports } = context;
  if (feed === undefined) return undefined;
  const stored = await ports.documents.read<AdvisoriesDocument<PublishedRevision>>(advisoriesKey);
  const { published, skipped } = await feed.publish(
    indexStore(ports.blobs),
    stored?.value.published,
    ports.clock.now(),
  );
  const isNew = published.revision !== stored?.value.published.revision;
  const document: AdvisoriesDocument<PublishedRevision> = {
    type: 'advisories',
    published,
    syncedAt: ports.clock.now().toISOString(),
  };
  if (isNew) {
    // A run that died before the pointer may have left this number for another content: what is published counts.
    const key = advisoriesRevisionKey(published.revision);
    await updateDocument<AdvisoriesDocument<PublishedRevision>>(ports.documents, key, () => document);
  }
  const written =
    stored === undefined
      ? await ports.documents.create(advisoriesKey, document)
      : await ports.documents.replace(advisoriesKey, document, stored.etag);
  if (written === undefined) {
    throw new PlimsollError(
      'CONFLICT',
      'another instance published advisories meanwhile; the next run looks again',
      {
        retryable: true,
      },
    );
  }
  context.caches.revisions = undefined;
  ports.log.info('advisories-synced', { revision: published.revision, isNew, feed: feed.name });
  // Also where nothing is new: a run that a crash kept from starting starts now, a finished one starts nothing.
  await startRescan(context, `advisories-${published.revision}`);
  return { revision: published.revision, isNew, skipped };
}
