/** Advisories about one package, grouped into vulnerabilities: one group for each, whatever the number of its names. */
import type { AdvisoryRow, BundledVulnerability } from '../domain/advisory.ts';
import type { SeverityRating } from '../domain/severity.ts';
import type { Evaluation } from './evaluate-row.ts';

export interface Hit {
  readonly row: AdvisoryRow;
  readonly evaluation: Extract<Evaluation, { status: 'affected' }>;
}

export interface Vulnerability {
  readonly id: string;
  /** All other names, sorted. */
  readonly aliases: readonly string[];
  readonly hits: readonly Hit[];
  readonly ratings: readonly (SeverityRating | undefined)[];
}

/**
 * Groups by the closure of ids and aliases. A record that bundles several vulnerabilities counts once for each, so it
 * neither joins them nor repeats what has a record of its own; there it is an alias. The id is that of a record about
 * the vulnerability alone, the ecosystem's own before a general one, else the bundled name itself.
 */
export function groupHits(ecosystem: string, hits: readonly Hit[]): readonly Vulnerability[] {
  const parts = hits.flatMap(partsOf);
  const groups = new Groups();
  for (const part of parts) for (const name of part.names) groups.join(part.names[0] ?? name, name);
  const members = new Map<string, Part[]>();
  for (const part of parts) {
    const root = groups.find(part.names[0] ?? '');
    const group = members.get(root);
    if (group === undefined) members.set(root, [part]);
    else group.push(part);
  }
  return [...members.values()].map((group) => vulnerabilityOf(ecosystem, group));
}

/** One row's word on one vulnerability. */
interface Part {
  readonly hit: Hit;
  /** What it is known as; the first is the row's own id, or the bundled name. */
  readonly names: readonly string[];
  readonly bundled?: BundledVulnerability;
}

function partsOf(hit: Hit): readonly Part[] {
  const { row } = hit;
  if (row.bundled === undefined) return [{ hit, names: [row.id, ...row.aliases] }];
  return row.bundled.map((bundled) => ({ hit, names: [bundled.id], bundled }));
}

function vulnerabilityOf(ecosystem: string, group: readonly Part[]): Vulnerability {
  const own = group.filter((part) => part.bundled === undefined).map((part) => part.hit.row.id);
  const candidates = own.length > 0 ? own : group.map((part) => part.names[0] ?? part.hit.row.id);
  const [id = ''] = [...new Set(candidates)].sort(
    (a, b) => preferenceOf(ecosystem, a) - preferenceOf(ecosystem, b) || (a < b ? -1 : 1),
  );
  const names = new Set(group.flatMap((part) => [part.hit.row.id, ...part.hit.row.aliases, ...part.names]));
  names.delete(id);
  return {
    id,
    aliases: [...names].sort(),
    hits: group.map((part) => part.hit),
    ratings: group.map((part) => part.bundled?.severity ?? part.hit.row.severity),
  };
}

/**
 * Prefixes from the one preferred: malware first; then records about one vulnerability before notices of an update, so
 * that a finding keeps its id when the update comes out; then GitHub's before all others.
 */
const ownPrefixes: Readonly<Record<string, readonly string[]>> = {
  Debian: ['DEBIAN-CVE-', 'DSA-', 'DLA-', 'DTSA-'],
  Ubuntu: ['UBUNTU-CVE-', 'USN-', 'LSN-'],
  Alpine: ['ALPINE-'],
  Wolfi: ['CGA-'],
  Chainguard: ['CGA-'],
  MinimOS: ['MINI-'],
  Echo: ['ECHO-'],
  npm: ['GHSA-'],
};

function preferenceOf(ecosystem: string, id: string): number {
  if (id.startsWith('MAL-')) return -1;
  const colon = ecosystem.indexOf(':');
  const base = colon < 0 ? ecosystem : ecosystem.slice(0, colon);
  const prefixes = Object.hasOwn(ownPrefixes, base) ? (ownPrefixes[base] ?? []) : [];
  const own = prefixes.findIndex((prefix) => id.startsWith(prefix));
  if (own >= 0) return own;
  if (id.startsWith('GHSA-')) return 100;
  return id.startsWith('CVE-') ? 102 : 101;
}

/** Names that mean the same, as a forest with shortened paths: a chain of thousands of aliases stays cheap. */
class Groups {
  readonly #parents = new Map<string, string>();

  find(name: string): string {
    let root = name;
    for (let up = this.#parents.get(root); up !== undefined; up = this.#parents.get(root)) root = up;
    let at = name;
    for (let up = this.#parents.get(at); up !== undefined; up = this.#parents.get(at)) {
      if (up !== root) this.#parents.set(at, root);
      at = up;
    }
    return root;
  }

  join(a: string, b: string): void {
    const rootOfA = this.find(a);
    const rootOfB = this.find(b);
    if (rootOfA !== rootOfB) this.#parents.set(rootOfB, rootOfA);
  }
}
