/** The version orders by name, and which of them an OSV ecosystem uses. */
import { apkOrder } from './apk.ts';
import type { VersionOrder } from './contract.ts';
import { debOrder } from './deb.ts';
import { semverOrder } from './semver.ts';

export const versionOrders: readonly VersionOrder[] = [apkOrder, debOrder, semverOrder];

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

const ordersByEcosystem: ReadonlyMap<string, VersionOrder> = new Map([
  ...['Debian', 'Ubuntu', 'Echo'].map((name) => [name, debOrder] as const),
  ...[
    'Alpine',
    'Wolfi',
    'Chainguard',
    'MinimOS',
    'Alpaquita',
    'BellSoft Hardened Containers',
    'CleanStart',
  ].map((name) => [name, apkOrder] as const),
  ...['npm', 'crates.io', 'Go', 'Hex', 'Julia', 'SwiftURL', 'VSCode', 'Bitnami'].map(
    (name) => [name, semverOrder] as const,
  ),
]);
