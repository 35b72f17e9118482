/** One OSV record as rows of the index, and what of it was left out and why. */
import type {
  AdvisoryRange,
  AdvisoryRow,
  BundledVulnerability,
  FixState,
  PackageKey,
} from '../domain/advisory.ts';
import { packageKey } from '../domain/advisory.ts';
import type { SeverityRating } from '../domain/severity.ts';
import type { OsvAffected, OsvRange, OsvRecord } from './osv-schema.ts';
import { osvRecordSchema } from './osv-schema.ts';
import { baseEcosystem, normalizePackageName } from './package-names.ts';
import { precedingRating, rateAdvisory } from './severity-precedence.ts';

/** Why a record, or one affected package of it, gives no row. docs/advisories.md explains each. */
export const skipReasons = [
  'ill-formed',
  'too-large',
  'withdrawn',
  'not-security',
  'nothing-affected',
  'no-package',
  'every-package',
  'other-ecosystem',
  'informational',
  'git-only',
  'no-versions',
] as const;

export type SkipReason = (typeof skipReasons)[number];

export interface KeyedRow {
  readonly key: PackageKey;
  readonly row: AdvisoryRow;
}

export interface MappedRecord {
  /** Empty where not even the id could be read. */
  readonly id: string;
  readonly modified: string;
  /** At most one row for each key. */
  readonly rows: readonly KeyedRow[];
  /** One entry for a record that is left out whole, else one for each affected package that is. */
  readonly skipped: readonly SkipReason[];
}

/** The rating of a CVE, for advisories that have none of their own. */
export type RateCve = (cve: string) => SeverityRating | undefined;

/** Largest record in bytes of JSON; the largest real ones, kernel records with every version, have some 3 MB. */
export const maxRecordBytes = 16 * 1024 * 1024;

/**
 * Rows of the record for packages of `ecosystem` (without suffix; undefined takes all). The record comes from that
 * ecosystem's folder of the bucket; its packages of other ecosystems are taken from theirs, so nothing is told twice.
 * Never throws: what is ill-formed is skipped and said.
 */
export function mapOsvRecord(
  bytes: Uint8Array,
  ecosystem: string | undefined,
  rateCve: RateCve,
): MappedRecord {
  if (bytes.byteLength > maxRecordBytes) return leftOut('too-large');
  const record = parseRecord(bytes);
  if (record === undefined) return leftOut('ill-formed');
  const reason = reasonToSkip(record);
  if (reason !== undefined) return { id: record.id, modified: record.modified, rows: [], skipped: [reason] };
  const names = namesOf(record);
  if (names.aliases.length > maxAliases) {
    return { id: record.id, modified: record.modified, rows: [], skipped: ['too-large'] };
  }
  const skipped: SkipReason[] = [];
  const rows = new Map<PackageKey, AdvisoryRow>();
  for (const affected of record.affected ?? []) {
    const mapped = mapAffected(record, affected, names, ecosystem, rateCve);
    if (typeof mapped === 'string') {
      skipped.push(mapped);
    } else {
      const known = rows.get(mapped.key);
      rows.set(mapped.key, known === undefined ? mapped.row : mergeRows(known, mapped.row));
    }
  }
  const usable = [...rows].filter(([, row]) => countEvents(row) <= maxRowEvents);
  for (let index = usable.length; index < rows.size; index += 1) skipped.push('too-large');
  return {
    id: record.id,
    modified: record.modified,
    rows: usable.map(([key, row]) => ({ key, row })),
    skipped,
  };
}

/** Most events about one package: finding a fix takes the square of their number. Real records have up to 120. */
const maxRowEvents = 2_000;

/** Most aliases: each vulnerability that the record bundles carries all of them. Real records have up to 30. */
const maxAliases = 1_000;

/** Longest summary that is kept, in characters. */
const maxSummaryLength = 160;

const cvePattern = /^CVE-\d{4}-\d{4,19}$/;

function leftOut(reason: SkipReason): MappedRecord {
  return { id: '', modified: '', rows: [], skipped: [reason] };
}

function parseRecord(bytes: Uint8Array): OsvRecord | undefined {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const parsed = osvRecordSchema.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}

function reasonToSkip(record: OsvRecord): SkipReason | undefined {
  if (record.withdrawn !== undefined && record.withdrawn !== null && record.withdrawn !== '')
    return 'withdrawn';
  if ((record.affected ?? []).length === 0) return 'nothing-affected';
  // AlmaLinux publishes bug fixes (ALBA) and enhancements (ALEA) in the same feed; few of them fix a CVE.
  if (/^AL[BE]A-/.test(record.id) && !(record.related ?? []).some((id) => cvePattern.test(id)))
    return 'not-security';
  return undefined;
}

interface Names {
  readonly aliases: readonly string[];
  /** Two or more, else empty. */
  readonly bundled: readonly string[];
}

function namesOf(record: OsvRecord): Names {
  const upstream = new Set(record.upstream ?? []);
  // AlmaLinux alone names the CVEs that an update fixes in `related`, which elsewhere only means "similar".
  if (record.id.startsWith('AL'))
    for (const id of record.related ?? []) if (cvePattern.test(id)) upstream.add(id);
  const cves = [...upstream].filter((id) => cvePattern.test(id)).sort();
  const bundled = cves.length > 1 ? cves : [];
  const names = new Set([...(record.aliases ?? []), ...upstream]);
  for (const id of bundled) names.delete(id);
  names.delete(record.id);
  return { aliases: [...names].sort(), bundled };
}

function mapAffected(
  record: OsvRecord,
  affected: OsvAffected,
  names: Names,
  wanted: string | undefined,
  rateCve: RateCve,
): KeyedRow | SkipReason {
  const named = affected.package;
  if (named === undefined || named === null) return 'no-package';
  if (wanted !== undefined && baseEcosystem(named.ecosystem) !== wanted) return 'other-ecosystem';
  if (named.name === '*') return 'every-package';
  if (isInformational(affected)) return 'informational';
  const ranges = rangesOf(affected);
  if (ranges === undefined) return 'ill-formed';
  const versions = [...new Set(affected.versions ?? [])];
  if (ranges.length === 0 && versions.length === 0) {
    return (affected.ranges ?? []).some((range) => range.type === 'GIT') ? 'git-only' : 'no-versions';
  }
  const malicious = record.id.startsWith('MAL-');
  const own = malicious ? maliciousRating : ownRating(record, affected);
  const severity =
    own ??
    (names.bundled.length > 0
      ? undefined
      : precedingRating(names.aliases.map((id) => rateIfCve(id, rateCve))));
  const summary = summaryOf(record);
  const fixState = fixStateOf(affected);
  return {
    key: packageKey(named.ecosystem, normalizePackageName(named.ecosystem, named.name)),
    row: {
      id: record.id,
      aliases: names.aliases,
      ...(names.bundled.length === 0 ? {} : { bundled: bundledOf(names.bundled, own, rateCve) }),
      ...(summary === undefined ? {} : { summary }),
      ranges,
      ...(versions.length === 0 ? {} : { versions }),
      ...(severity === undefined ? {} : { severity }),
      ...(fixState === undefined ? {} : { fixState }),
      ...(malicious ? { malicious } : {}),
    },
  };
}

const maliciousRating: SeverityRating = { severity: 'critical', source: 'malicious' };

/** RustSec's notices, unmaintained and unsound crates: no vulnerability in what is installed. */
function isInformational(affected: OsvAffected): boolean {
  const kind = affected.database_specific?.informational;
  return kind !== undefined && kind !== '';
}

/** Version ranges in one form; undefined where one of them has no beginning and so no meaning. */
function rangesOf(affected: OsvAffected): readonly AdvisoryRange[] | undefined {
  // Go writes "every version" into `ranges` and the true ones here, for what cannot be imported as a module.
  const custom = affected.ecosystem_specific?.custom_ranges;
  const given = custom !== undefined && custom.length > 0 ? custom : (affected.ranges ?? []);
  const ranges: AdvisoryRange[] = [];
  for (const range of given) {
    if (range.type === 'GIT') continue;
    if (range.type !== 'SEMVER' && range.type !== 'ECOSYSTEM') return undefined;
    const mapped = mapRange(range, range.type);
    if (!mapped.events.some((event) => 'introduced' in event)) return undefined;
    ranges.push(boundByLastKnown(mapped, affected.database_specific?.last_known_affected_version_range));
  }
  return ranges;
}

function mapRange(range: OsvRange, type: AdvisoryRange['type']): AdvisoryRange {
  return {
    type,
    events: range.events.flatMap((event) => [
      ...(event.introduced === undefined ? [] : [{ introduced: event.introduced }]),
      ...(event.fixed === undefined ? [] : [{ fixed: event.fixed }]),
      ...(event.last_affected === undefined ? [] : [{ lastAffected: event.last_affected }]),
      ...(event.limit === undefined ? [] : [{ limit: event.limit }]),
    ]),
  };
}

/** GitHub bounds a range without a fix in a field of its own: `<= 1.2.3` or `< 1.2.3`. */
function boundByLastKnown(range: AdvisoryRange, bound: string | undefined): AdvisoryRange {
  const match = bound === undefined ? null : /^(<=?) ?(\S+)$/.exec(bound);
  if (match === null || range.events.length !== 1) return range;
  const version = match[2] ?? '';
  return {
    ...range,
    events: [...range.events, match[1] === '<=' ? { lastAffected: version } : { limit: version }],
  };
}

function ownRating(record: OsvRecord, affected: OsvAffected): SeverityRating | undefined {
  const entries = [...(affected.severity ?? []), ...(record.severity ?? [])];
  const specific = affected.ecosystem_specific;
  return rateAdvisory({
    distroWord:
      specific?.urgency ?? entries.find((one) => one.type === 'Ubuntu')?.score ?? specific?.ubuntu_priority,
    advisoryWord: record.database_specific?.severity ?? specific?.severity ?? firstWordOf(record),
    vectors: entries.filter((one) => one.type.startsWith('CVSS_')).map((one) => one.score),
  });
}

/** AlmaLinux and Rocky Linux say the severity only as the first word of the summary (`Important: …`). */
function firstWordOf(record: OsvRecord): string | undefined {
  if (!/^(AL[SBE]A|RL[SBE]A|RXSA)-/.test(record.id)) return undefined;
  return /^(\w{1,20}):/.exec(record.summary ?? '')?.[1];
}

function bundledOf(
  ids: readonly string[],
  own: SeverityRating | undefined,
  rateCve: RateCve,
): readonly BundledVulnerability[] {
  return ids.map((id) => {
    const severity = own === undefined ? rateCve(id) : undefined;
    return severity === undefined ? { id } : { id, severity };
  });
}

function rateIfCve(id: string, rateCve: RateCve): SeverityRating | undefined {
  return cvePattern.test(id) ? rateCve(id) : undefined;
}

function summaryOf(record: OsvRecord): string | undefined {
  const text = record.summary?.trim().replace(/\s+/g, ' ');
  if (text === undefined || text === '') return undefined;
  return text.length <= maxSummaryLength ? text : `${text.slice(0, maxSummaryLength - 1)}…`;
}

/** Debian: `end-of-life` and `unimportant` issues get no fix in this release. */
function fixStateOf(affected: OsvAffected): FixState | undefined {
  const urgency = affected.ecosystem_specific?.urgency;
  return urgency === 'end-of-life' || urgency === 'unimportant' ? 'wont-fix' : undefined;
}

function countEvents(row: AdvisoryRow): number {
  return row.ranges.reduce((count, range) => count + range.events.length, 0);
}

/** Two affected entries of one record for one package: affected is what either says. */
function mergeRows(a: AdvisoryRow, b: AdvisoryRow): AdvisoryRow {
  const versions = [...new Set([...(a.versions ?? []), ...(b.versions ?? [])])];
  const severity = precedingRating([a.severity, b.severity]);
  return {
    ...a,
    ranges: [...a.ranges, ...b.ranges],
    ...(versions.length === 0 ? {} : { versions }),
    ...(severity === undefined ? {} : { severity }),
  };
}
