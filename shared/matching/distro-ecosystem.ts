/** Which OSV ecosystem holds a distribution's advisories, as a table by the ID of os-release(5). */
import type { PackageType } from '../domain/ecosystems.ts';
import type { Distro } from '../domain/package.ts';

export interface DistroEcosystem {
  /** The package format that the ecosystem is about. */
  readonly type: PackageType;
  /** With its suffix, as in `Debian:12`. */
  readonly ecosystem: string;
  /** Whether advisories name source packages (`source`) or installed ones (`binary`). */
  readonly matchBy: 'source' | 'binary';
}

/** The ecosystem of a distribution. `none`: known here, and OSV has nothing for it, or its packages are not read.
 *  `unknown`: nobody knows its advisories; ID_LIKE is never followed, for a derivative's fixes differ. */
export function distroEcosystem(distro: Distro): DistroEcosystem | 'none' | 'unknown' {
  const rule = rules.get(distro.id);
  if (rule === undefined) return withoutEcosystem.has(distro.id) ? 'none' : 'unknown';
  const ecosystem = rule.ecosystem(distro);
  return ecosystem === undefined ? 'none' : { type: rule.type, ecosystem, matchBy: rule.matchBy };
}

interface Rule {
  readonly type: PackageType;
  readonly matchBy: 'source' | 'binary';
  readonly ecosystem: (distro: Distro) => string | undefined;
}

/** Releases by name (debian.org/releases), for images of testing, which have no VERSION_ID. Testing and sid carry the
 *  codename of the coming release. */
const debianReleases = new Map([
  ['squeeze', '6'],
  ['wheezy', '7'],
  ['jessie', '8'],
  ['stretch', '9'],
  ['buster', '10'],
  ['bullseye', '11'],
  ['bookworm', '12'],
  ['trixie', '13'],
  ['forky', '14'],
  ['duke', '15'],
]);

const rules = new Map<string, Rule>([
  ['debian', { type: 'deb', matchBy: 'source', ecosystem: debian }],
  ['ubuntu', { type: 'deb', matchBy: 'source', ecosystem: ubuntu }],
  ['echo', { type: 'deb', matchBy: 'source', ecosystem: () => 'Echo' }],
  ['alpine', { type: 'apk', matchBy: 'source', ecosystem: alpine }],
  // Their VERSION_ID is a build date: these have one branch only.
  ['wolfi', { type: 'apk', matchBy: 'binary', ecosystem: () => 'Wolfi' }],
  ['chainguard', { type: 'apk', matchBy: 'binary', ecosystem: () => 'Chainguard' }],
  ['minimos', { type: 'apk', matchBy: 'binary', ecosystem: () => 'MinimOS' }],
  ['alpaquita', { type: 'apk', matchBy: 'source', ecosystem: byVersion('Alpaquita') }],
  [
    'bellsoft-hardened-containers',
    { type: 'apk', matchBy: 'source', ecosystem: byVersion('BellSoft Hardened Containers') },
  ],
]);

/** OSV names without suffix that the rules lead to; a test holds that none is missing. */
export const distroEcosystems: readonly string[] = [
  'Debian',
  'Ubuntu',
  'Echo',
  'Alpine',
  'Wolfi',
  'Chainguard',
  'MinimOS',
  'Alpaquita',
  'BellSoft Hardened Containers',
];

/** Ids of os-release(5) that a rule covers. */
export const ruledDistros: readonly string[] = [...rules.keys()];

/** Known distributions that no rule covers. */
const withoutEcosystem = new Set([
  'almalinux',
  'amzn',
  'arch',
  'azurelinux',
  'bottlerocket',
  'centos',
  'fedora',
  'gentoo',
  'mageia',
  'mariner',
  'nixos',
  'ol',
  'openEuler',
  'openeuler',
  'opensuse-leap',
  'opensuse-tumbleweed',
  'photon',
  'rhel',
  'rocky',
  'sl-micro',
  'sle-micro',
  'sle-micro-rancher',
  'sles',
]);

function debian(distro: Distro): string | undefined {
  const number = /^\d{1,3}/.exec(distro.versionId ?? '')?.[0] ?? debianReleases.get(distro.codename ?? '');
  return number === undefined ? undefined : `Debian:${number}`;
}

/** Long-term releases are the April ones of even years (ubuntu.com/about/release-cycle). */
function ubuntu(distro: Distro): string | undefined {
  const match = /^(\d{2})\.(\d{2})/.exec(distro.versionId ?? '');
  if (match === null) return undefined;
  const [version, year, month] = match;
  return `Ubuntu:${version}${Number(year) % 2 === 0 && month === '04' ? ':LTS' : ''}`;
}

/** Edge (`3.23_alpha20250612`) has no advisories in OSV. */
function alpine(distro: Distro): string | undefined {
  const match = /^(\d{1,3}\.\d{1,3})(\.[\d_]+)?(_(?!alpha).*)?$/.exec(distro.versionId ?? '');
  return match === null ? undefined : `Alpine:v${match[1]}`;
}

function byVersion(name: string): Rule['ecosystem'] {
  return (distro) =>
    distro.versionId !== undefined && /^[\w.]{1,20}$/.test(distro.versionId)
      ? `${name}:${distro.versionId}`
      : undefined;
}
