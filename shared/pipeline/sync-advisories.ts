/** sync-advisories: reads the feed, publishes a revision where something changed, and starts a rescan for it. */
import type { PublishedRevision } from '../advisories/index-store.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { PipelineContext } from './context.ts';
import { startRescan } from './rescan.ts';
import { indexStore } from './revisions.ts';
import { type AdvisoriesDocument, advisoriesKey, advisoriesRevisionKey } from './state/config.ts';

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
  // A crash may have kept it from being kept when it came into force.
  if (stored !== undefined) await keepRevision(context, stored.value);
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
  await keepRevision(context, document);
  context.caches.revisions = undefined;
  ports.log.info('advisories-synced', { revision: published.revision, isNew, feed: feed.name });
  // Also where nothing is new: a run that a crash kept from starting starts now, a finished one starts nothing.
  await startRescan(context, `advisories-${published.revision}`);
  return { revision: published.revision, isNew, skipped };
}

/** Under its number once it is in force, never before: of two that build the same number one alone comes into force. */
async function keepRevision(
  context: PipelineContext,
  document: AdvisoriesDocument<PublishedRevision>,
): Promise<void> {
  await context.ports.documents.create(advisoriesRevisionKey(document.published.revision), document);
}
