/** The version orders by name, and which of them an OSV ecosystem uses. */
import { apkOrder } from './apk.ts';
import { condaOrder } from './conda.ts';
import type { VersionOrder } from './contract.ts';
import { cranOrder } from './cran.ts';
import { debOrder } from './deb.ts';
import { goOrder } from './go.ts';
import { hackageOrder } from './hackage.ts';
import { hexOrder } from './hex.ts';
import { mavenOrder } from './maven.ts';
import { nugetOrder } from './nuget.ts';
import { packagistOrder } from './packagist.ts';
import { pacmanOrder } from './pacman.ts';
import { pep440Order } from './pep440.ts';
import { portageOrder } from './portage.ts';
import { pubOrder } from './pub.ts';
import { rpmOrder } from './rpm.ts';
import { rubygemsOrder } from './rubygems.ts';
import { semverOrder } from './semver.ts';

export const versionOrders: readonly VersionOrder[] = [
  apkOrder,
  condaOrder,
  cranOrder,
  debOrder,
  goOrder,
  hackageOrder,
  hexOrder,
  mavenOrder,
  nugetOrder,
  packagistOrder,
  pacmanOrder,
  pep440Order,
  portageOrder,
  pubOrder,
  rpmOrder,
  rubygemsOrder,
  semverOrder,
];

/** The order of that name, as domain/ecosystems.ts names it. Throws RangeError where there is none. */
export function versionOrder(name: string): VersionOrder {
  const found = versionOrders.find((order) => order.name === name);
  if (found === undefined) throw new RangeError(`no version order is called "${name}"`);
  return found;
}

/** The order of an OSV ecosystem (osv-schema, "Defined Ecosystems"), with or without its suffix (`Debian:12`);
 *  undefined where the ecosystem is unknown or its order does not exist here. */
export function orderOfEcosystem(ecosystem: string): VersionOrder | undefined {
  const colon = ecosystem.indexOf(':');
  return ordersByEcosystem.get(colon < 0 ? ecosystem : ecosystem.slice(0, colon));
}

/** Base names of the ecosystems whose order exists here, sorted. */
export function orderedEcosystems(): readonly string[] {
  return [...ordersByEcosystem.keys()].sort();
}

/** Arch Linux and Gentoo have no name in the schema: these are what their os-release calls them. */
const ecosystemsByOrder: readonly (readonly [VersionOrder, readonly string[]])[] = [
  [debOrder, ['Debian', 'Ubuntu', 'Echo']],
  [
    apkOrder,
    ['Alpine', 'Wolfi', 'Chainguard', 'MinimOS', 'Alpaquita', 'BellSoft Hardened Containers', 'CleanStart'],
  ],
  [
    rpmOrder,
    [
      'Red Hat',
      'AlmaLinux',
      'Rocky Linux',
      'SUSE',
      'openSUSE',
      'Azure Linux',
      'Mageia',
      'openEuler',
      'Photon OS',
    ],
  ],
  [pacmanOrder, ['Arch Linux']],
  [portageOrder, ['Gentoo']],
  [semverOrder, ['npm', 'crates.io', 'Julia', 'SwiftURL', 'VSCode', 'Bitnami']],
  [goOrder, ['Go']],
  [pep440Order, ['PyPI']],
  [mavenOrder, ['Maven']],
  [rubygemsOrder, ['RubyGems']],
  [nugetOrder, ['NuGet']],
  [packagistOrder, ['Packagist']],
  [hexOrder, ['Hex']],
  [pubOrder, ['Pub']],
  [cranOrder, ['CRAN', 'Bioconductor']],
  [hackageOrder, ['Hackage', 'GHC']],
  [condaOrder, ['Conda']],
];

const ordersByEcosystem: ReadonlyMap<string, VersionOrder> = new Map(
  ecosystemsByOrder.flatMap(([order, names]) => names.map((name) => [name, order] as const)),
);
