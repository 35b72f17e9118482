/** Small images with known packages, and advisories about them, for the pipeline's tests. */
import type { KeyedRow } from '../../shared/advisories/osv-record.ts';
import { packageKey } from '../../shared/domain/advisory.ts';
import { buildImage, buildLayer } from '../support/image-builder.ts';

const osRelease = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n';

/** A Debian base with two packages. */
export const baseLayer = buildLayer([
  { path: 'etc/os-release', content: osRelease },
  {
    path: 'var/lib/dpkg/status',
    content: [
      'Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.15-1~deb12u1\n',
      'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\n',
    ].join('\n'),
  },
]);

/** A layer with one npm package. */
export function npmLayer(name: string, version: string): ReturnType<typeof buildLayer> {
  return buildLayer([
    { path: `app/node_modules/${name}/package.json`, content: JSON.stringify({ name, version }) },
  ]);
}

/** The base and one npm package. */
export function npmImage(
  name: string,
  version: string,
  platform?: { os: string; architecture: string },
): ReturnType<typeof buildImage> {
  return buildImage([baseLayer, npmLayer(name, version)], platform);
}

/** An advisory about an npm package: affected below `fixed`. */
export function npmAdvisory(
  id: string,
  name: string,
  fixed: string,
  severity: 'critical' | 'high' | 'medium' | 'low' = 'high',
): KeyedRow {
  return {
    key: packageKey('npm', name),
    row: {
      id,
      aliases: [],
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }],
      severity: { severity, source: 'advisory' },
    },
  };
}

/** An advisory about a Debian source package. */
export function debianAdvisory(id: string, source: string, fixed: string): KeyedRow {
  return {
    key: packageKey('Debian:12', source),
    row: {
      id,
      aliases: [],
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
      severity: { severity: 'medium', source: 'advisory' },
    },
  };
}
