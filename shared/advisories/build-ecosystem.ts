/** Builds the shards of one ecosystem, writes those that are new, and tells which packages changed. */
import { compareText } from '../base/text-order.ts';
import { hashPackageKey, packageKey } from '../domain/advisory.ts';
import {
  contentName,
  decodeShard,
  encodeRow,
  encodeShard,
  idOfRow,
  maxShardBytes,
  type PackageRows,
  pack,
  type RowText,
  shardOfHash,
  sortByHash,
} from './index-format.ts';
import type { IndexStore } from './index-store.ts';
import { type EcosystemShards, readPart, shardPart } from './manifest.ts';

/** Aim for a shard, in characters of rows before packing: some 10 KB packed. A lookup reads whole shards, so smaller
 *  ones read less, and larger ones pack better. Part of the format: other cuts are other content hashes. */
const targetShardWeight = 128 * 1024;
const maxBits = 16;

/** Shards of one ecosystem; undefined where no row is left of it. Adds the hashes of changed keys and the record ids. */
export async function buildEcosystem(
  store: IndexStore,
  ecosystem: string,
  packages: Map<string, RowText[]>,
  known: EcosystemShards | undefined,
  changed: Set<number>,
  records: Set<string>,
): Promise<EcosystemShards | undefined> {
  const sorted = sortByHash(
    ecosystem,
    [...packages].map(([name, rows]): PackageRows => ({ name, rows: distinct(rows) })),
  );
  packages.clear();
  let weight = 0;
  let rowCount = 0;
  for (const { item } of sorted) {
    weight += item.name.length;
    rowCount += item.rows.length;
    for (const row of item.rows) {
      weight += row.length;
      records.add(idOfRow(row));
    }
  }
  const bits = sorted.length === 0 ? 0 : bitsFor(weight);
  // With another number of shards none can be compared with its predecessor alone.
  const oldRows = known !== undefined && known.bits !== bits ? await readEcosystem(store, known) : undefined;
  const contents = cut(sorted, bits);
  const oldNames = known?.bits === bits ? known.shards : undefined;
  const written = await inParallel(contents, (content, shard) =>
    writeShard(store, content, oldNames?.[shard]),
  );
  if (known === undefined) {
    for (const { item } of sorted) changed.add(hashPackageKey(packageKey(ecosystem, item.name)));
  }
  for (const [shard, content] of contents.entries()) {
    const oldName = oldNames?.[shard];
    if (oldName !== undefined && oldName !== written[shard]?.name) {
      addChanged(ecosystem, content, await readShardRows(store, oldName), changed);
    }
  }
  if (oldRows !== undefined)
    addChanged(
      ecosystem,
      sorted.map(({ item }) => item),
      oldRows,
      changed,
    );
  if (sorted.length === 0) return undefined;
  return {
    name: ecosystem,
    bits,
    weight,
    rows: rowCount,
    keys: sorted.length,
    sizeBytes: sum(written.map((one) => one.sizeBytes)),
    shards: written.map((one) => one.name),
  };
}

/** A row that came twice (a record that lies in an archive twice) counts once. */
function distinct(rows: readonly RowText[]): readonly RowText[] {
  return rows.length === 1 ? rows : [...new Set(rows)].sort(compareText);
}

function bitsFor(weight: number): number {
  let bits = 0;
  while (bits < maxBits && weight / 2 ** bits > targetShardWeight) bits += 1;
  return bits;
}

/** The packages of each of the 2^bits shards. */
function cut(
  sorted: readonly { readonly hash: number; readonly item: PackageRows }[],
  bits: number,
): readonly (readonly PackageRows[])[] {
  const contents: PackageRows[][] = Array.from({ length: 2 ** bits }, () => []);
  for (const { hash, item } of sorted) contents[shardOfHash(hash, bits)]?.push(item);
  return contents;
}

/** Shards that are packed and written at once: packing runs on Node's four threads. */
const maxWritesAtOnce = 8;

async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  await Promise.all(
    Array.from({ length: Math.min(maxWritesAtOnce, items.length) }, async () => {
      for (const [index, item] of queue) results[index] = await work(item, index);
    }),
  );
  return results;
}

async function writeShard(
  store: IndexStore,
  content: readonly PackageRows[],
  oldName: string | undefined,
): Promise<{ readonly name: string; readonly sizeBytes: number }> {
  if (content.length === 0) return { name: '-', sizeBytes: 0 };
  const text = encodeShard(content);
  const name = contentName(text);
  // A shard that stands in the previous revision is there: neither packed nor written again.
  const packed = name === oldName ? await store.read(shardPart(name), maxShardBytes) : undefined;
  if (packed !== undefined) return { name, sizeBytes: packed.byteLength };
  const bytes = await pack(text);
  await store.createOnce(shardPart(name), bytes);
  return { name, sizeBytes: bytes.byteLength };
}

function addChanged(
  ecosystem: string,
  now: readonly PackageRows[],
  before: ReadonlyMap<string, readonly RowText[]>,
  changed: Set<number>,
): void {
  const names = new Set(now.map((item) => item.name));
  for (const { name, rows } of now) {
    const old = before.get(name);
    if (old === undefined || old.length !== rows.length || !rows.every((row, index) => row === old[index])) {
      changed.add(hashPackageKey(packageKey(ecosystem, name)));
    }
  }
  for (const name of before.keys())
    if (!names.has(name)) changed.add(hashPackageKey(packageKey(ecosystem, name)));
}

/** All rows of an ecosystem by package name. */
export async function readEcosystem(
  store: IndexStore,
  known: EcosystemShards,
): Promise<Map<string, readonly RowText[]>> {
  const all = new Map<string, readonly RowText[]>();
  for (const shard of known.shards) {
    for (const [name, rows] of await readShardRows(store, shard)) all.set(name, rows);
  }
  return all;
}

async function readShardRows(store: IndexStore, shard: string): Promise<Map<string, readonly RowText[]>> {
  if (shard === '-') return new Map();
  const part = shardPart(shard);
  const read = decodeShard((await readPart(store, part, maxShardBytes)).toString('utf8'), part);
  return new Map(read.names.map((name) => [name, (read.rows(name) ?? []).map(encodeRow).sort(compareText)]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
