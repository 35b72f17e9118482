/** Reads ecosystems of a feed whole: rows for the index, and what was left out and why. */
import { type KeyedRow, mapOsvRecord, type RateCve, type SkipReason } from './osv-record.ts';
import type { OsvSource } from './osv-source.ts';
import { NewestTime } from './osv-time.ts';

export interface ReadBucketOptions {
  /** Ecosystems without suffix; all of the feed where absent. */
  readonly ecosystems?: readonly string[] | undefined;
  readonly rateCve?: RateCve | undefined;
  /** Times after this do not count as newest. */
  readonly now: Date;
  readonly onProgress?: ((line: string) => void) | undefined;
}

export interface BucketReading {
  /** Every row; can be read once. Throws what the source throws. */
  readonly rows: AsyncIterable<KeyedRow>;
  /** Newest `modified` so far; complete once the rows are read. */
  newestAt(): string;
  /** Records that were read so far. */
  recordCount(): number;
  /** Records and affected packages that gave no row, by reason, so far. */
  skipped(): Readonly<Record<string, number>>;
}

export function readBucket(source: OsvSource, options: ReadBucketOptions): BucketReading {
  const tally = new ImportTally(options.now);
  return {
    rows: rowsOf(source, options, tally),
    newestAt: () => tally.newest.text,
    recordCount: () => tally.records,
    skipped: () => tally.skipped(),
  };
}

/** Counts what an import reads. */
export class ImportTally {
  readonly newest: NewestTime;
  records = 0;
  readonly #skipped = new Map<SkipReason, number>();

  constructor(now: Date) {
    this.newest = new NewestTime(now);
  }

  add(skipped: readonly SkipReason[], modified: string): void {
    this.records += 1;
    this.newest.add(modified);
    for (const reason of skipped) this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
  }

  /** Sorted by reason. */
  skipped(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#skipped].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

async function* rowsOf(
  source: OsvSource,
  options: ReadBucketOptions,
  tally: ImportTally,
): AsyncIterable<KeyedRow> {
  for (const ecosystem of options.ecosystems ?? (await source.ecosystems())) {
    options.onProgress?.(`reading ${ecosystem}`);
    yield* ecosystemRows(source, ecosystem, options.rateCve ?? noRating, tally);
  }
}

/** Rows of all records of one ecosystem; `seen` gets id and `modified` of each. */
export async function* ecosystemRows(
  source: OsvSource,
  ecosystem: string,
  rateCve: RateCve,
  tally: ImportTally,
  seen?: Map<string, string>,
): AsyncIterable<KeyedRow> {
  for await (const { id, bytes } of source.records(ecosystem)) {
    const mapped = bytes === undefined ? tooLarge : mapOsvRecord(bytes, ecosystem, rateCve);
    tally.add(mapped.skipped, mapped.modified);
    seen?.set(id, mapped.modified);
    yield* mapped.rows;
  }
}

const tooLarge: {
  readonly modified: string;
  readonly rows: readonly KeyedRow[];
  readonly skipped: readonly SkipReason[];
} = { modified: '', rows: [], skipped: ['too-large'] };

export const noRating: RateCve = () => undefined;
