/** Where advisories come from, as the sync step sees it. */
import type { AdvisoryRow, PackageKey } from '../domain/advisory.ts';

/** One row with the key that it is found by. */
export interface KeyedAdvisory {
  readonly key: PackageKey;
  readonly row: AdvisoryRow;
}

export interface FeedReading {
  /** Every row of the feed; ends early only by throwing. */
  readonly rows: AsyncIterable<KeyedAdvisory>;
  /** Newest `modified` seen so far, RFC 3339; complete once the rows are read. */
  newestAt(): string;
  /** Records that were read and skipped, by reason. */
  skipped(): Readonly<Record<string, number>>;
}

/** Opens the feed anew for each sync. Throws ADVISORIES_UNREACHABLE (retryable), ADVISORIES_INVALID. */
export interface AdvisoryFeed {
  /** Name for logs and health: the URL or folder. */
  readonly name: string;
  open(): Promise<FeedReading>;
}
