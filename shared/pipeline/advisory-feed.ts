/** Where advisories come from, as the sync step sees it. */
import type { CveRatings } from '../advisories/cve-list.ts';
import type { IndexStore, PublishedRevision } from '../advisories/index-store.ts';
import type { OsvSource } from '../advisories/osv-source.ts';
import { syncIndex } from '../advisories/sync-index.ts';

export interface FeedPublication {
  /** The previous revision where nothing is new. */
  readonly published: PublishedRevision;
  /** Records that were read and skipped, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** A source of advisories that can bring the index up to date. */
export interface AdvisoryFeed {
  /** Name for logs and health: the URL or folder. */
  readonly name: string;
  /** Writes what is new beside the old revision. Throws ADVISORIES_UNREACHABLE (retryable), ADVISORIES_INVALID. */
  publish(store: IndexStore, previous: PublishedRevision | undefined, now: Date): Promise<FeedPublication>;
}

export interface OsvFeedOptions {
  readonly source: OsvSource;
  /** Ecosystems to import, of those that the feed has; all of the feed where absent. */
  readonly ecosystems?: readonly string[] | undefined;
  /** Ratings of CVEs for advisories that have none of their own, read anew for each sync. */
  readonly cveRatings?: (() => Promise<CveRatings>) | undefined;
}

/** The feed over a folder or URL laid out as the public OSV bucket. */
export function osvFeed(options: OsvFeedOptions): AdvisoryFeed {
  const { source, ecosystems } = options;
  return {
    name: source.name,
    async publish(store, previous, now) {
      const cveRatings = await options.cveRatings?.();
      const offered = ecosystems === undefined ? undefined : new Set(await source.ecosystems());
      const wanted = ecosystems?.filter((name) => offered?.has(name));
      return syncIndex({ store, previous, source, ecosystems: wanted, cveRatings, now });
    },
  };
}
