/** An index over rows in memory: for plain folders of records and for tests. */
import { createHash } from 'node:crypto';
import { compareText } from '../base/text-order.ts';
import type { AdvisoryIndex, AdvisoryRow, PackageKey } from '../domain/advisory.ts';
import { encodeRow } from './index-format.ts';
import type { KeyedRow } from './osv-record.ts';

/** An index without revisions: it can't tell what changed, so changedSince is always true. `covered` names ecosystems
 *  that count as covered beside those of the rows. */
export function indexOfRows(
  rows: Iterable<KeyedRow>,
  newestAt = '',
  covered: Iterable<string> = [],
): AdvisoryIndex {
  const byKey = new Map<PackageKey, AdvisoryRow[]>();
  const ecosystems = new Set(covered);
  for (const { key, row } of rows) {
    ecosystems.add(key.slice(0, key.indexOf('|')));
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, [row]);
    else known.push(row);
  }
  return {
    revision: { revision: null, contentHash: hashRows(byKey), newestAt },
    covers: (ecosystem) => ecosystems.has(ecosystem),
    lookup: async (keys) =>
      new Map(
        keys.flatMap((key) => {
          const found = byKey.get(key);
          return found === undefined ? [] : [[key, found] as const];
        }),
      ),
    changedSince: async () => true,
  };
}

/** The same rows in any order give the same hash. */
function hashRows(byKey: ReadonlyMap<PackageKey, readonly AdvisoryRow[]>): string {
  const hash = createHash('sha256');
  for (const key of [...byKey.keys()].sort(compareText)) {
    hash.update(JSON.stringify([key, (byKey.get(key) ?? []).map(encodeRow).sort(compareText)]));
  }
  return `sha256:${hash.digest('hex')}`;
}
