/** Under which key of the advisories a package of an image is looked up, and with which version. */

import { normalizePackageName } from '../advisories/package-names.ts';
import { coverageKey, type PackageKey, packageKey } from '../domain/advisory.ts';
import { ecosystemOf } from '../domain/ecosystems.ts';
import type { ImageInventory } from '../domain/inventory.ts';
import type { Distro, Package } from '../domain/package.ts';
import { distroEcosystem } from './distro-ecosystem.ts';

/** What matching needs of an image. */
export type MatchedInventory = Pick<ImageInventory, 'packages' | 'distro'>;

export interface PackageLookup {
  readonly ecosystem: string;
  readonly name: string;
  readonly key: PackageKey;
  /** The version that advisories of this ecosystem speak of: the source's where they name sources. */
  readonly version: string;
}

/** Where a package is looked up; `no-ecosystem` where its distribution is not known or has no advisories; undefined
 *  for what is no package (apk's `.build-deps`). */
export function lookupOf(
  pkg: Package,
  distro: Distro | undefined,
): PackageLookup | 'no-ecosystem' | undefined {
  const row = ecosystemOf(pkg.type);
  if (row.osvEcosystem !== undefined) return lookup(row.osvEcosystem, pkg.name, pkg.version);
  if (pkg.type === 'apk' && pkg.name.startsWith('.')) return undefined;
  const target = distro === undefined ? 'unknown' : distroEcosystem(distro);
  if (typeof target === 'string' || target.type !== pkg.type) return 'no-ecosystem';
  if (target.matchBy === 'binary' || pkg.source === undefined) {
    return lookup(target.ecosystem, pkg.name, pkg.version);
  }
  // apk has one version for all packages of an origin; dpkg's sources have their own (bsdutils 1:2.34 of util-linux 2.34).
  return lookup(target.ecosystem, pkg.source.name, pkg.type === 'deb' ? pkg.source.version : pkg.version);
}

/** Every key that the image's findings and coverage depend on, sorted, without repeats. */
export function packageKeysOf(inventory: MatchedInventory): readonly PackageKey[] {
  const keys = new Set(ecosystemsOf(inventory).map(coverageKey));
  for (const pkg of inventory.packages) {
    const found = lookupOf(pkg, inventory.distro);
    if (typeof found === 'object') keys.add(found.key);
  }
  return [...keys].sort();
}

/** The ecosystems, with suffix, that the image is judged by (`Debian:12`, `npm`), sorted. */
export function ecosystemsOf(inventory: MatchedInventory): readonly string[] {
  const names = new Set<string>();
  const distro = inventory.distro === undefined ? 'unknown' : distroEcosystem(inventory.distro);
  if (typeof distro === 'object') names.add(distro.ecosystem);
  for (const pkg of inventory.packages) {
    const found = lookupOf(pkg, inventory.distro);
    if (typeof found === 'object') names.add(found.ecosystem);
  }
  return [...names].sort();
}

function lookup(ecosystem: string, name: string, version: string): PackageLookup {
  const normalized = normalizePackageName(ecosystem, name);
  return { ecosystem, name: normalized, key: packageKey(ecosystem, normalized), version };
}
