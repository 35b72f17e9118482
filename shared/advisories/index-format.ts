/** The bytes of the index: rows in shards and shards in a manifest (docs/decisions/0003-advisory-index.md). */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { compareText } from '../base/text-order.ts';
import type {
  AdvisoryRange,
  AdvisoryRow,
  BundledVulnerability,
  FixState,
  RangeEvent,
} from '../domain/advisory.ts';
import { hashPackageKey } from '../domain/advisory.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { Severity, SeverityRating } from '../domain/severity.ts';

/** Largest shard, unpacked: some 40 times the aim, for packages with very many advisories. */
export const maxShardBytes = 64 * 1024 * 1024;
/** Largest manifest, unpacked: room for 400,000 shards. */
export const maxManifestBytes = 32 * 1024 * 1024;

/** JSON of one row in one fixed form: equal rows give equal text. */
export type RowText = string;

/** A package and its rows, sorted. */
export interface PackageRows {
  readonly name: string;
  readonly rows: readonly RowText[];
}

export function encodeRow(row: AdvisoryRow): RowText {
  const tuple: RowTuple = [
    [
      row.id,
      row.aliases,
      row.summary ?? 0,
      row.severity === undefined ? 0 : encodeRating(row.severity),
      row.malicious === true ? 1 : 0,
      row.bundled === undefined ? 0 : row.bundled.map(encodeBundled),
    ],
    encodeRanges(row.ranges),
    row.versions === undefined ? 0 : [...row.versions].sort(),
    row.fixState ?? 0,
  ];
  return JSON.stringify(tuple);
}

export function decodeRow(text: RowText): AdvisoryRow {
  const [header, ranges, versions, fixState] = JSON.parse(text) as RowTuple;
  return toRow(header, ranges, versions, fixState);
}

/** The id of an encoded row, without decoding the rest. */
export function idOfRow(text: RowText): string {
  return (JSON.parse(text) as RowTuple)[0][0];
}

/** Which of 2^bits shards holds a key: the first bits of its hash, so that shards split and join in place. */
export function shardOfHash(hash: number, bits: number): number {
  return bits === 0 ? 0 : hash >>> (32 - bits);
}

/** Sorts packages of one ecosystem by the hash of their keys, then by name: the order that shards cut. */
export function sortByHash<T extends { readonly name: string }>(
  ecosystem: string,
  packages: readonly T[],
): { readonly hash: number; readonly item: T }[] {
  return packages
    .map((item) => ({ hash: hashPackageKey(`${ecosystem}|${item.name}`), item }))
    .sort((a, b) => a.hash - b.hash || compareText(a.item.name, b.item.name));
}

/** The shard's text. What several rows share (the record's head, a package's versions) stands in it once. */
export function encodeShard(packages: readonly PackageRows[]): string {
  const headers: HeaderTuple[] = [];
  const headerIndex = new Map<string, number>();
  const encoded = packages.map(({ name, rows }): PackageTuple => {
    const tuples = rows.map((row) => JSON.parse(row) as RowTuple);
    const table = versionTable(tuples);
    const positions = new Map(table.map((version, index) => [version, index]));
    return [
      name,
      table.length === 0 ? 0 : table,
      tuples.map(([header, ranges, versions, fixState]): ShardRow => {
        const text = JSON.stringify(header);
        let index = headerIndex.get(text);
        if (index === undefined) {
          index = headers.push(header) - 1;
          headerIndex.set(text, index);
        }
        const runs = versions === 0 ? 0 : toRuns(versions.map((version) => positions.get(version) ?? 0));
        return fixState === 0
          ? runs === 0
            ? [index, ranges]
            : [index, ranges, runs]
          : [index, ranges, runs, fixState];
      }),
    ];
  });
  return JSON.stringify([headers, encoded]);
}

/** A shard, unpacked; rows are made only for the packages that are asked for. */
export interface Shard {
  readonly names: readonly string[];
  rows(name: string): readonly AdvisoryRow[] | undefined;
}

/** Reads a shard's text. Throws ADVISORIES_INVALID where it is none. */
export function decodeShard(text: string, where: string): Shard {
  const [headers, packages] = parseOwn(text, where) as [readonly HeaderTuple[], readonly PackageTuple[]];
  const byName = new Map(packages.map((one) => [one[0], one]));
  return {
    names: packages.map((one) => one[0]),
    rows: (name) => {
      const found = byName.get(name);
      if (found === undefined) return undefined;
      const table = found[1] === 0 ? [] : found[1];
      return found[2].map(([header, ranges, runs, fixState]) => {
        const head = headers[header];
        if (head === undefined) throw broken(where);
        return toRow(head, ranges, fromRuns(runs ?? 0, table), fixState ?? 0);
      });
    },
  };
}

/** Name of what holds this text: the first 160 bits of its SHA-256 in hex. */
export function contentName(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}

/** Brotli, which every supported Node has. From quality 9 on it is many times slower for 1 % less; see the decision
 *  record. */
export async function pack(text: string | Uint8Array): Promise<Uint8Array> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return promisify<Uint8Array, object, Buffer>(brotliCompress)(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 7,
      [constants.BROTLI_PARAM_LGWIN]: 18,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
    },
  });
}

/** Undoes pack and holds the content to its name. Throws ADVISORIES_INVALID where it is something else or too large. */
export async function unpack(bytes: Uint8Array, name: string, maxBytes: number): Promise<Buffer> {
  let content: Buffer;
  try {
    content = await promisify<Uint8Array, object, Buffer>(brotliDecompress)(bytes, {
      maxOutputLength: maxBytes,
    });
  } catch (error) {
    throw broken(name, error);
  }
  if (contentName(content) !== name.slice(name.lastIndexOf('/') + 1)) throw broken(name);
  return content;
}

/** Parses JSON that this file wrote and whose hash was checked. */
export function parseOwn(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw broken(where, error);
  }
}

function broken(where: string, cause?: unknown): PlimsollError {
  return new PlimsollError(
    'ADVISORIES_INVALID',
    `${where}: expected a part of an advisory index, found other bytes; synchronise the advisories anew`,
    { cause },
  );
}

type RatingTuple = readonly [severity: Severity, source: string, vector?: string, score?: number];
type BundledTuple = string | readonly [string, RatingTuple];
type HeaderTuple = readonly [
  id: string,
  aliases: readonly string[],
  summary: string | 0,
  severity: RatingTuple | 0,
  malicious: 0 | 1,
  bundled: readonly BundledTuple[] | 0,
];
/** Alternating kind and version: `i` introduced, `f` fixed, `l` last affected, `m` limit. */
type RangeTuple = readonly [type: 'S' | 'E', ...events: string[]];
/** A text alone is the commonest case: an ECOSYSTEM range from the first version to this fixed one. */
type RangesTuple = string | readonly RangeTuple[];
type RowTuple = readonly [
  header: HeaderTuple,
  ranges: RangesTuple,
  versions: readonly string[] | 0,
  fixState: FixState | 0,
];
/** Gap and length of each run of positions in the package's table of versions. */
type Runs = readonly number[];
type ShardRow = readonly [header: number, ranges: RangesTuple, runs?: Runs | 0, fixState?: FixState];
type PackageTuple = readonly [name: string, versions: readonly string[] | 0, rows: readonly ShardRow[]];

function encodeRating(rating: SeverityRating): RatingTuple {
  return rating.cvss === undefined
    ? [rating.severity, rating.source]
    : [rating.severity, rating.source, rating.cvss.vector, rating.cvss.score];
}

function decodeRating([severity, source, vector, score]: RatingTuple): SeverityRating {
  return vector === undefined || score === undefined
    ? { severity, source }
    : { severity, source, cvss: { vector, score } };
}

function encodeBundled(one: BundledVulnerability): BundledTuple {
  return one.severity === undefined ? one.id : [one.id, encodeRating(one.severity)];
}

function decodeBundled(one: BundledTuple): BundledVulnerability {
  return typeof one === 'string' ? { id: one } : { id: one[0], severity: decodeRating(one[1]) };
}

function encodeRanges(ranges: readonly AdvisoryRange[]): RangesTuple {
  const tuples = ranges.map(
    (range): RangeTuple => [range.type === 'SEMVER' ? 'S' : 'E', ...range.events.flatMap(encodeEvent)],
  );
  const [only] = tuples;
  if (
    tuples.length === 1 &&
    only?.length === 5 &&
    only[0] === 'E' &&
    only[1] === 'i' &&
    only[2] === '0' &&
    only[3] === 'f'
  ) {
    return only[4] ?? '';
  }
  return tuples;
}

function encodeEvent(event: RangeEvent): readonly string[] {
  if ('introduced' in event) return ['i', event.introduced];
  if ('fixed' in event) return ['f', event.fixed];
  if ('lastAffected' in event) return ['l', event.lastAffected];
  return ['m', event.limit];
}

function decodeRanges(ranges: RangesTuple): readonly AdvisoryRange[] {
  if (typeof ranges === 'string')
    return [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: ranges }] }];
  return ranges.map(([type, ...parts]) => {
    const events: RangeEvent[] = [];
    for (let index = 0; index + 1 < parts.length; index += 2)
      events.push(decodeEvent(parts[index], parts[index + 1] ?? ''));
    return { type: type === 'S' ? 'SEMVER' : 'ECOSYSTEM', events };
  });
}

function decodeEvent(kind: string | undefined, version: string): RangeEvent {
  if (kind === 'i') return { introduced: version };
  if (kind === 'f') return { fixed: version };
  return kind === 'l' ? { lastAffected: version } : { limit: version };
}

function toRow(
  [id, aliases, summary, severity, malicious, bundled]: HeaderTuple,
  ranges: RangesTuple,
  versions: readonly string[] | 0,
  fixState: FixState | 0,
): AdvisoryRow {
  return {
    id,
    aliases,
    ...(bundled === 0 ? {} : { bundled: bundled.map(decodeBundled) }),
    ...(summary === 0 ? {} : { summary }),
    ranges: decodeRanges(ranges),
    ...(versions === 0 ? {} : { versions }),
    ...(severity === 0 ? {} : { severity: decodeRating(severity) }),
    ...(fixState === 0 ? {} : { fixState }),
    ...(malicious === 0 ? {} : { malicious: true }),
  };
}

/** All versions that rows of a package list, in about their own order, so that a row's are few runs of them. */
function versionTable(rows: readonly RowTuple[]): readonly string[] {
  const distinct = new Set<string>();
  for (const [, , versions] of rows)
    if (versions !== 0) for (const version of versions) distinct.add(version);
  return [...distinct]
    .map((version) => ({ version, order: version.replace(/\d+/g, (digits) => digits.padStart(12, '0')) }))
    .sort((a, b) => compareText(a.order, b.order) || compareText(a.version, b.version))
    .map(({ version }) => version);
}

function toRuns(positions: readonly number[]): Runs {
  const runs: number[] = [];
  let end = 0;
  for (const position of [...positions].sort((a, b) => a - b)) {
    if (runs.length > 0 && position === end) {
      runs.push((runs.pop() ?? 0) + 1);
    } else {
      runs.push(position - end, 1);
    }
    end = position + 1;
  }
  return runs;
}

function fromRuns(runs: Runs | 0, table: readonly string[]): readonly string[] | 0 {
  if (runs === 0) return 0;
  const versions: string[] = [];
  let position = 0;
  for (let index = 0; index + 1 < runs.length; index += 2) {
    const start = position + (runs[index] ?? 0);
    position = start + (runs[index + 1] ?? 0);
    versions.push(...table.slice(start, position));
  }
  return versions;
}
