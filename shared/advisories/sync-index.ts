/** Brings an index up to date with a feed: single records where few changed, an ecosystem's archive where many did. */
import { compareText } from '../base/text-order.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { SeverityRating } from '../domain/severity.ts';
import { type Publication, publishIndex } from './build-index.ts';
import type { CveRatings } from './cve-list.ts';
import { parseOwn } from './index-format.ts';
import type { IndexStore, PublishedRevision } from './index-store.ts';
import { type Manifest, partName, readManifest, readPart } from './manifest.ts';
import { type KeyedRow, mapOsvRecord, type RateCve } from './osv-record.ts';
import type { OsvSource, SourceRecord } from './osv-source.ts';
import { isSameTime } from './osv-time.ts';
import { baseEcosystem } from './package-names.ts';
import { ecosystemRows, ImportTally } from './read-bucket.ts';

export interface SyncIndexOptions {
  readonly store: IndexStore;
  readonly previous: PublishedRevision | undefined;
  readonly source: OsvSource;
  /** The index holds these ecosystems (without suffix) and no others afterwards; all of the feed where absent. */
  readonly ecosystems?: readonly string[] | undefined;
  readonly cveRatings?: CveRatings | undefined;
  readonly now: Date;
  /** Most single records that are fetched for one ecosystem before its archive is cheaper. */
  readonly maxSingleRecords?: number;
  readonly onProgress?: ((line: string) => void) | undefined;
}

export interface SyncedIndex extends Publication {
  /** Records that were read in this run. */
  readonly readRecords: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** Ecosystems that were read whole, by single records, or not at all because nothing changed. */
  readonly ecosystems: {
    readonly whole: readonly string[];
    readonly edited: readonly string[];
    readonly kept: readonly string[];
  };
}

const defaultMaxSingleRecords = 500;
/** Lists of id and time, unpacked: some 50 bytes a record. */
const maxModifiedBytes = 256 * 1024 * 1024;
/** Some 120 bytes for each CVE that has a rating. */
const maxRatingsBytes = 256 * 1024 * 1024;
const maxFetchesAtOnce = 16;

/**
 * Reads what changed and publishes it (see publishIndex: the caller stores what comes back). Throws ADVISORIES_UNREACHABLE,
 * ADVISORIES_INVALID or ADVISORIES_MISSING, and then nothing is published; INVALID_INPUT for an ecosystem that the feed
 * does not have.
 */
export async function syncIndex(options: SyncIndexOptions): Promise<SyncedIndex> {
  const { store, previous } = options;
  const tally = new ImportTally(options.now);
  const before = previous === undefined ? undefined : await readManifest(store, previous.manifest);
  const ratings = options.cveRatings ?? (await keptRatings(store, before));
  const ratingsText = ratings === undefined ? undefined : encodeRatings(ratings);
  const ratingsPart = ratingsText === undefined ? undefined : partName('ratings', ratingsText);
  // Other ratings of CVEs can be other severities of any row, so every row is made anew.
  const known = before !== undefined && before.cveRatings === ratingsPart ? before : undefined;
  const plans: EcosystemPlan[] = [];
  for (const ecosystem of await selectEcosystems(options)) {
    plans.push(await planEcosystem(options, ecosystem, known));
  }
  const rateCve: RateCve = (cve) => ratings?.get(cve);
  const modified = new Map<string, string>();
  const publication = await publishIndex(store, previous, rowsOf(options, plans, rateCve, tally, modified), {
    newestAt: () => newestOf(tally, previous),
    kept: new Set(plans.filter((plan) => plan.kind === 'kept').map((plan) => plan.ecosystem)),
    edited: new Map(
      plans.flatMap((plan) => (plan.kind === 'edited' ? [[plan.ecosystem, plan.replaced]] : [])),
    ),
    modified: () => modified,
    ...(ratingsText === undefined ? {} : { cveRatings: ratingsText }),
  });
  const named = (kind: EcosystemPlan['kind']): readonly string[] =>
    plans.filter((plan) => plan.kind === kind).map((plan) => plan.ecosystem);
  return {
    ...publication,
    readRecords: tally.records,
    skipped: tally.skipped(),
    ecosystems: { whole: named('whole'), edited: named('edited'), kept: named('kept') },
  };
}

type EcosystemPlan =
  | {
      readonly kind: 'whole';
      readonly ecosystem: string;
      readonly listed?: ReadonlyMap<string, string> | undefined;
    }
  | { readonly kind: 'kept'; readonly ecosystem: string }
  | {
      readonly kind: 'edited';
      readonly ecosystem: string;
      /** Ids whose rows go; those with a record come back. */
      readonly replaced: ReadonlySet<string>;
      readonly records: readonly SourceRecord[];
      /** Id and `modified` of all records afterwards. */
      readonly listed: ReadonlyMap<string, string>;
    };

async function selectEcosystems({ source, ecosystems }: SyncIndexOptions): Promise<readonly string[]> {
  const offered = await source.ecosystems();
  if (ecosystems === undefined || ecosystems.length === 0) return offered;
  const wanted = [...new Set(ecosystems.map(baseEcosystem))].sort(compareText);
  const missing = wanted.find((name) => !offered.includes(name));
  if (missing !== undefined) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `${source.name}: expected the ecosystem "${missing}", found ${offered.join(', ').slice(0, 500)}`,
    );
  }
  return wanted;
}

async function planEcosystem(
  options: SyncIndexOptions,
  ecosystem: string,
  known: Manifest | undefined,
): Promise<EcosystemPlan> {
  const part = known?.folders.find((one) => one.ecosystem === ecosystem)?.modified;
  const listed = await options.source.modified(ecosystem);
  if (part === undefined || listed === undefined || listed.size === 0)
    return { kind: 'whole', ecosystem, listed };
  const imported = decodeModified((await readPart(options.store, part, maxModifiedBytes)).toString('utf8'));
  // The whole list is compared, not its head: records are dated in the future, so newest first is not last changed first.
  const changed = [...listed]
    .filter(([id, time]) => !isSameTime(imported.get(id) ?? '', time))
    .map(([id]) => id);
  const removed = [...imported.keys()].filter((id) => !listed.has(id));
  if (changed.length === 0 && removed.length === 0) return { kind: 'kept', ecosystem };
  if (changed.length > (options.maxSingleRecords ?? defaultMaxSingleRecords))
    return { kind: 'whole', ecosystem, listed };
  options.onProgress?.(`reading ${changed.length} changed records of ${ecosystem}`);
  const records = await fetchRecords(options.source, ecosystem, changed);
  // A listed record without a file says nothing about the package: the archive decides.
  if (records === undefined) return { kind: 'whole', ecosystem, listed };
  return { kind: 'edited', ecosystem, replaced: new Set([...changed, ...removed]), records, listed };
}

async function fetchRecords(
  source: OsvSource,
  ecosystem: string,
  ids: readonly string[],
): Promise<readonly SourceRecord[] | undefined> {
  const records: SourceRecord[] = [];
  const queue = ids.values();
  let isComplete = true;
  await Promise.all(
    Array.from({ length: Math.min(maxFetchesAtOnce, ids.length) }, async () => {
      for (const id of queue) {
        if (!isComplete) return;
        const record = await source.record(ecosystem, id);
        if (record === undefined) isComplete = false;
        else records.push(record);
      }
    }),
  );
  return isComplete ? records : undefined;
}

async function* rowsOf(
  options: SyncIndexOptions,
  plans: readonly EcosystemPlan[],
  rateCve: RateCve,
  tally: ImportTally,
  modified: Map<string, string>,
): AsyncIterable<KeyedRow> {
  for (const plan of plans) {
    if (plan.kind === 'kept') continue;
    if (plan.kind === 'edited') {
      for (const { bytes } of plan.records) {
        if (bytes === undefined) {
          tally.add(['too-large'], '');
          continue;
        }
        const mapped = mapOsvRecord(bytes, plan.ecosystem, rateCve);
        tally.add(mapped.skipped, mapped.modified);
        yield* mapped.rows;
      }
      modified.set(plan.ecosystem, encodeModified(plan.listed));
      continue;
    }
    options.onProgress?.(`reading ${plan.ecosystem}`);
    const seen = new Map<string, string>();
    yield* ecosystemRows(options.source, plan.ecosystem, rateCve, tally, seen);
    // The time of the archive's own record counts, as the archive may be older than the list; where it can't be read,
    // the list's, so that a broken record is not fetched for ever.
    for (const [id, time] of seen) if (time === '') seen.set(id, plan.listed?.get(id) ?? '');
    modified.set(plan.ecosystem, encodeModified(seen));
  }
}

/** Where only some ecosystems were read, what was newest before still counts. */
function newestOf(tally: ImportTally, previous: PublishedRevision | undefined): string {
  if (previous !== undefined) tally.newest.add(previous.newestAt);
  return tally.newest.text;
}

function encodeModified(list: ReadonlyMap<string, string>): string {
  return [...list]
    .map(([id, time]) => `${time},${id}`)
    .sort(compareText)
    .join('\n');
}

function decodeModified(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').map((line) => {
      const comma = line.indexOf(',');
      return [line.slice(comma + 1), line.slice(0, comma)];
    }),
  );
}

/** The ratings of the run before serve where none are given, so that a synchronisation without the list loses none. */
async function keptRatings(store: IndexStore, before: Manifest | undefined): Promise<CveRatings | undefined> {
  if (before?.cveRatings === undefined) return undefined;
  const text = (await readPart(store, before.cveRatings, maxRatingsBytes)).toString('utf8');
  return new Map(parseOwn(text, before.cveRatings) as [string, SeverityRating][]);
}

function encodeRatings(ratings: CveRatings): string {
  return JSON.stringify([...ratings].sort(([a], [b]) => compareText(a, b)));
}
