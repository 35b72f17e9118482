/** Matches an image's packages against the advisories: findings, and what could not be judged. */
import { precedingRating } from '../advisories/severity-precedence.ts';
import type { AdvisoryIndex, AdvisoryRow, FixState } from '../domain/advisory.ts';
import type { CoverageIssue } from '../domain/coverage.ts';
import { ecosystemOf } from '../domain/ecosystems.ts';
import type { Finding } from '../domain/finding.ts';
import type { Package } from '../domain/package.ts';
import type { VersionOrder } from '../versions/contract.ts';
import { orderOfEcosystem, versionOrder } from '../versions/registry.ts';
import { distroEcosystem } from './distro-ecosystem.ts';
import { evaluateRow, type OrderOfRange } from './evaluate-row.ts';
import { groupHits, type Hit, type Vulnerability } from './group-hits.ts';
import { lookupOf, type MatchedInventory, type PackageLookup } from './package-lookup.ts';
import { remediationOf } from './remediation.ts';

export { ecosystemsOf, packageKeysOf } from './package-lookup.ts';

export interface MatchResult {
  /** Sorted by purl, then id: one for each vulnerability of each package. */
  readonly findings: readonly Finding[];
  readonly issues: readonly CoverageIssue[];
}

/**
 * Matches every package. A package whose files an OS package brought is covered by that one's advisories and gets
 * findings of its own only for malware. What can't be judged is an issue, never silence: UNKNOWN_DISTRO,
 * NO_DISTRO_PACKAGES,
 * DISTRO_WITHOUT_ADVISORIES, ECOSYSTEM_WITHOUT_ADVISORIES (once each), UNEVALUATED_VERSION (once a package),
 * UNEVALUATED_ADVISORY (once a package and advisory). Throws only what reading the index throws.
 */
export async function matchPackages(inventory: MatchedInventory, index: AdvisoryIndex): Promise<MatchResult> {
  const lookups = inventory.packages.map((pkg) => ({ pkg, lookup: lookupOf(pkg, inventory.distro) }));
  const issues = coverageIssues(inventory, lookups, index);
  const located = lookups.flatMap(({ pkg, lookup }) => (typeof lookup === 'object' ? [{ pkg, lookup }] : []));
  const rows = await index.lookup([...new Set(located.map(({ lookup }) => lookup.key))]);
  const findings: Finding[] = [];
  for (const { pkg, lookup } of located) {
    const known = rows.get(lookup.key) ?? [];
    const counted = pkg.ownedBy === null ? known : known.filter((row) => row.malicious === true);
    if (counted.length > 0) findings.push(...findingsOf(pkg, lookup, counted, issues));
  }
  return { findings: findings.sort(compareFindings), issues };
}

function findingsOf(
  pkg: Package,
  lookup: PackageLookup,
  rows: readonly AdvisoryRow[],
  issues: CoverageIssue[],
): readonly Finding[] {
  const order = orderOfEcosystem(lookup.ecosystem) ?? versionOrder(ecosystemOf(pkg.type).versionOrder);
  const orderOf: OrderOfRange = (type) => (type === 'SEMVER' ? versionOrder('semver') : order);
  const isOrdered = order.compare(lookup.version, lookup.version) !== undefined;
  const hits: Hit[] = [];
  const unevaluated = new Set<string>();
  for (const row of rows) {
    const evaluation = evaluateRow(row, lookup.version, orderOf);
    if (evaluation.status === 'affected') {
      hits.push({ row, evaluation });
    } else if (evaluation.status === 'not-comparable') {
      if (isOrdered && !unevaluated.has(row.id)) {
        issues.push({
          code: 'UNEVALUATED_ADVISORY',
          purl: pkg.purl,
          detail: `${row.id}: "${evaluation.version}" has no place in the version order of ${lookup.ecosystem}`,
        });
      }
      unevaluated.add(row.id);
    }
  }
  if (!isOrdered && unevaluated.size > 0) {
    issues.push({
      code: 'UNEVALUATED_VERSION',
      purl: pkg.purl,
      detail: `"${lookup.version}" has no place in the version order of ${lookup.ecosystem}: ${unevaluated.size} advisories were not judged`,
    });
  }
  return groupHits(lookup.ecosystem, hits).map((vulnerability) => toFinding(pkg, vulnerability, order));
}

function toFinding(pkg: Package, vulnerability: Vulnerability, order: VersionOrder): Finding {
  const { id, aliases, hits, ratings } = vulnerability;
  const rating = precedingRating(ratings);
  const main = hits.find((hit) => hit.row.id === id) ?? hits[0];
  const summary = main?.row.summary ?? hits.find((hit) => hit.row.summary !== undefined)?.row.summary;
  const fixedVersion = highest(
    hits.flatMap(({ evaluation }) => evaluation.fixedVersion ?? []),
    order,
  );
  const remediation = remediationOf(pkg, fixedVersion);
  return {
    id,
    aliases,
    purl: pkg.purl,
    packageName: pkg.name,
    packageVersion: pkg.version,
    severity: rating?.severity ?? 'unknown',
    severitySource: rating?.source ?? 'none',
    ...(rating?.cvss === undefined ? {} : { cvss: rating.cvss }),
    ...(summary === undefined ? {} : { summary }),
    fixState: fixedVersion === undefined ? fixStateOf(hits) : 'fixed',
    ...(fixedVersion === undefined ? {} : { fixedVersion }),
    ...(remediation === undefined ? {} : { remediation }),
    layer: pkg.layer,
    malicious: hits.some(({ row }) => row.malicious === true),
  };
}

/** Without a fix: what a publisher says of it, else that a range is open, else nothing (`last_affected` names no fix). */
function fixStateOf(hits: readonly Hit[]): FixState {
  const said = hits.find(({ row }) => row.fixState !== undefined)?.row.fixState;
  return said ?? (hits.some(({ evaluation }) => evaluation.isOpen) ? 'not-fixed' : 'unknown');
}

/** Advisories on the same vulnerability may name several fixes: the highest satisfies all of them. */
function highest(versions: readonly string[], order: VersionOrder): string | undefined {
  return versions.reduce<string | undefined>(
    (best, version) => (best === undefined || order.compare(version, best) === 1 ? version : best),
    undefined,
  );
}

function coverageIssues(
  { distro }: MatchedInventory,
  lookups: readonly { readonly pkg: Package; readonly lookup: ReturnType<typeof lookupOf> }[],
  index: AdvisoryIndex,
): CoverageIssue[] {
  const counts = new Map<string, number>();
  let unplaced = 0;
  for (const { lookup } of lookups) {
    if (lookup === 'no-ecosystem') unplaced += 1;
    else if (lookup !== undefined) counts.set(lookup.ecosystem, (counts.get(lookup.ecosystem) ?? 0) + 1);
  }
  const target = distro === undefined ? undefined : distroEcosystem(distro);
  const name = distro?.prettyName ?? [distro?.id, distro?.versionId].filter(Boolean).join(' ');
  const issues: CoverageIssue[] = [];
  if (typeof target === 'object') {
    if (!counts.has(target.ecosystem)) counts.set(target.ecosystem, 0);
    // Who removes the database, or leads it elsewhere by a link, keeps the packages: silence would let them pass.
    if (!lookups.some(({ pkg }) => pkg.type === target.type)) {
      issues.push({
        code: 'NO_DISTRO_PACKAGES',
        detail: `the image says that it is "${name}", but no package of the type ${target.type} was found: its database is empty, elsewhere or removed`,
      });
    }
  }
  for (const [ecosystem, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (index.covers(ecosystem)) continue;
    issues.push({
      code:
        typeof target === 'object' && target.ecosystem === ecosystem
          ? 'DISTRO_WITHOUT_ADVISORIES'
          : 'ECOSYSTEM_WITHOUT_ADVISORIES',
      detail: `${ecosystem}: the advisories hold no record of it; ${count} packages were not judged`,
    });
  }
  if (target === 'none') {
    issues.push({
      code: 'DISTRO_WITHOUT_ADVISORIES',
      detail: `${name}: no advisories are known for this release; ${unplaced} packages were not judged`,
    });
  } else if (target === 'unknown' || unplaced > 0) {
    issues.push({
      code: 'UNKNOWN_DISTRO',
      detail: `${distro === undefined ? 'no os-release was found' : `"${name}" has no known advisories for them`}; ${unplaced} packages of an operating system were not judged`,
    });
  }
  return issues;
}

function compareFindings(a: Finding, b: Finding): number {
  if (a.purl !== b.purl) return a.purl < b.purl ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
