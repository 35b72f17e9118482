/** Packages and advisory rows to match, and the matching of both. */
import { indexOfRows } from '../../shared/advisories/memory-index.ts';
import type { KeyedRow } from '../../shared/advisories/osv-record.ts';
import { type AdvisoryRow, packageKey } from '../../shared/domain/advisory.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import type { Distro, Package } from '../../shared/domain/package.ts';
import { matchPackages } from '../../shared/matching/match.ts';

const layer = digestOf('layer');

export function npmPackage(name: string, version: string, ownedBy: string | null = null): Package {
  return { purl: `pkg:npm/${name}@${version}`, type: 'npm', name, version, layer, paths: [], ownedBy };
}

export function debPackage(name: string, version: string, source?: Package['source']): Package {
  const purl = `pkg:deb/debian/${name}@${version}`;
  return { purl, type: 'deb', name, version, layer, paths: [], ownedBy: null, ...(source && { source }) };
}

export function apkPackage(name: string, version: string, origin?: string): Package {
  const purl = `pkg:apk/alpine/${name}@${version}`;
  const source = origin === undefined ? {} : { source: { name: origin, version } };
  return { purl, type: 'apk', name, version, layer, paths: [], ownedBy: null, ...source };
}

/** A row of an advisory that is fixed in one version. */
export function fixedIn(
  ecosystem: string,
  name: string,
  id: string,
  fixed: string,
  more: Partial<AdvisoryRow> = {},
): KeyedRow {
  return {
    key: packageKey(ecosystem, name),
    row: {
      id,
      aliases: [],
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
      ...more,
    },
  };
}

export const debian: Distro = { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' };

export async function match(
  packages: readonly Package[],
  distro: Distro | undefined,
  rows: readonly KeyedRow[],
) {
  return matchPackages({ packages, distro }, indexOfRows(rows));
}
