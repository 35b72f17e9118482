/** An advisory feed over rows that a test holds. */
import { publishIndex } from '../../shared/advisories/build-index.ts';
import type { KeyedRow } from '../../shared/advisories/osv-record.ts';
import type { AdvisoryFeed } from '../../shared/pipeline/advisory-feed.ts';

/** The feed; `newestAt` is what it says of its newest record. */
export function feedOfRows(rows: readonly KeyedRow[], newestAt = '2026-03-01T00:00:00Z'): AdvisoryFeed {
  return {
    name: 'test',
    async publish(store, previous) {
      const { published } = await publishIndex(store, previous, rows, { newestAt: () => newestAt });
      return { published, skipped: {} };
    },
  };
}
