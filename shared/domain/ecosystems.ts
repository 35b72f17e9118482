/** One row per package format: how its packages are named, ordered and looked up. */

export type PackageType = 'deb' | 'apk' | 'npm';

export interface Ecosystem {
  readonly type: PackageType;
  /** purl type (package-url/purl-spec). */
  readonly purlType: string;
  /** Names of the members of catalogers/ that claim such packages. */
  readonly catalogers: readonly string[];
  /** Name in versions/registry.ts. */
  readonly versionOrder: string;
  /** OSV ecosystem without suffix; undefined where the distribution decides it. */
  readonly osvEcosystem?: string;
  /** True where packages belong to the operating system and matching needs the distro. */
  readonly isDistroFormat: boolean;
  /** What a person types to get the fixed version; `{name}` and `{version}` are filled in. */
  readonly upgradeCommand: string;
}

export const ecosystems: readonly Ecosystem[] = [
  {
    type: 'deb',
    purlType: 'deb',
    catalogers: ['dpkg'],
    versionOrder: 'deb',
    isDistroFormat: true,
    upgradeCommand: 'apt-get install --only-upgrade {name}={version}',
  },
  {
    type: 'apk',
    purlType: 'apk',
    catalogers: ['apk'],
    versionOrder: 'apk',
    isDistroFormat: true,
    upgradeCommand: "apk add --upgrade '{name}>={version}'",
  },
  {
    type: 'npm',
    purlType: 'npm',
    catalogers: ['npm'],
    versionOrder: 'semver',
    osvEcosystem: 'npm',
    isDistroFormat: false,
    upgradeCommand: 'npm install {name}@{version}',
  },
];

/** The row of a package type. */
export function ecosystemOf(type: PackageType): Ecosystem {
  const found = ecosystems.find((row) => row.type === type);
  if (found === undefined) throw new RangeError(`no ecosystem row for package type ${type}`);
  return found;
}
