/** Publishes a revision of the index: new shards where rows changed, the others shared with the revision before. */
import { createHash } from 'node:crypto';
import { compareText } from '../base/text-order.ts';
import { coverageKey, hashPackageKey, packageKey } from '../domain/advisory.ts';
import {
  addChanges,
  type ChangeLog,
  decodeChangeLog,
  emptyChangeLog,
  encodeChangeLog,
  maxChangeLogBytes,
} from './change-log.ts';
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
import type { IndexStore, PublishedRevision } from './index-store.ts';
import {
  type EcosystemFolder,
  type EcosystemShards,
  encodeManifest,
  type Manifest,
  partName,
  readManifest,
  readPart,
  shardPart,
} from './manifest.ts';
import type { KeyedRow } from './osv-record.ts';
import { baseEcosystem } from './package-names.ts';
import { RowSpool } from './row-spool.ts';

/** What becomes of the ecosystems of the previous revision. Without entries all rows are replaced by the given ones. */
export interface IndexUpdate {
  /** Newest `modified` of the records that is not in the future; asked once the rows have ended. */
  readonly newestAt: () => string;
  /** Ecosystems without suffix that stay as they are; no row of them may be given. */
  readonly kept?: ReadonlySet<string>;
  /** Ecosystems without suffix of which only the rows of these records are replaced by the given rows. */
  readonly edited?: ReadonlyMap<string, ReadonlySet<string>>;
  /** What was imported, by ecosystem without suffix: text of id and `modified` of every record. Of kept ecosystems the
   *  previous one stays. Asked once the rows have ended. */
  readonly modified?: () => ReadonlyMap<string, string>;
  /** Text of the CVE ratings that the rows were made with. */
  readonly cveRatings?: string;
}

export interface Publication {
  readonly published: PublishedRevision;
  readonly changedKeys: number;
}

/** Aim for a shard, in characters of rows before packing: some 10 KB packed. A lookup reads whole shards, so smaller
 *  ones read less, and larger ones pack better. Part of the format: other cuts are other content hashes. */
export const targetShardWeight = 128 * 1024;
const maxBits = 16;

/**
 * Writes the parts of a new revision and returns what points to it; the caller publishes by storing that, so a crash
 * before leaves the old revision in force. The same rows give the same content hash, and where it is the previous one,
 * nothing is published and `previous` comes back.
 */
export async function publishIndex(
  store: IndexStore,
  previous: PublishedRevision | undefined,
  rows: AsyncIterable<KeyedRow> | Iterable<KeyedRow>,
  update: IndexUpdate,
): Promise<Publication> {
  const spool = new RowSpool();
  for await (const row of rows) spool.add(row);
  const before = previous === undefined ? undefined : await readManifest(store, previous.manifest);
  const old = new Map((before?.ecosystems ?? []).map((one) => [one.name, one]));
  const ecosystems: EcosystemShards[] = [];
  const recordsByFolder = new Map<string, Set<string>>();
  const changed = new Set<number>();
  for (const name of [...new Set([...old.keys(), ...spool.ecosystems()])].sort(compareText)) {
    const known = old.get(name);
    const folder = baseEcosystem(name);
    if (known !== undefined && update.kept?.has(folder) === true) {
      ecosystems.push(known);
      continue;
    }
    const packages = spool.take(name);
    const replaced = update.edited?.get(folder);
    if (replaced !== undefined && known !== undefined) await addUntouched(store, known, replaced, packages);
    const records = recordsByFolder.get(folder) ?? new Set<string>();
    recordsByFolder.set(folder, records);
    const built = await buildEcosystem(store, name, packages, known, changed, records);
    if (built !== undefined) ecosystems.push(built);
    if ((built === undefined) !== (known === undefined)) changed.add(hashPackageKey(coverageKey(name)));
  }
  const contentHash = hashContent(ecosystems);
  if (previous !== undefined && previous.contentHash === contentHash)
    return { published: previous, changedKeys: 0 };

  const revision = (previous?.revision ?? 0) + 1;
  const log =
    before === undefined
      ? emptyChangeLog(revision)
      : addChanges(await readChangeLog(store, before), revision, changed);
  const manifest: Manifest = {
    revision,
    ecosystems,
    changesSince: log.since,
    ...(log.hashes.length === 0 ? {} : { changes: await writePart(store, 'changes', encodeChangeLog(log)) }),
    folders: await foldersOf(store, before, recordsByFolder, update),
    ...(update.cveRatings === undefined
      ? {}
      : { cveRatings: await writePart(store, 'ratings', update.cveRatings) }),
  };
  return {
    published: {
      revision,
      contentHash,
      newestAt: update.newestAt(),
      manifest: await writePart(store, 'manifests', encodeManifest(manifest)),
      recordCount: sum(manifest.folders.map((one) => one.records)),
      rowCount: sum(ecosystems.map((one) => one.rows)),
      keyCount: sum(ecosystems.map((one) => one.keys)),
      sizeBytes: sum(ecosystems.map((one) => one.sizeBytes)),
    },
    changedKeys: before === undefined ? sum(ecosystems.map((one) => one.keys)) : changed.size,
  };
}

/** Shards of one ecosystem; undefined where no row is left of it. Adds the hashes of changed keys and the record ids. */
async function buildEcosystem(
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

/** Adds the rows of an edited ecosystem that belong to other records than the replaced ones. */
async function addUntouched(
  store: IndexStore,
  known: EcosystemShards,
  replaced: ReadonlySet<string>,
  packages: Map<string, RowText[]>,
): Promise<void> {
  for (const [name, rows] of await readEcosystem(store, known)) {
    const kept = rows.filter((row) => !replaced.has(idOfRow(row)));
    if (kept.length > 0) packages.set(name, [...kept, ...(packages.get(name) ?? [])]);
  }
}

async function readEcosystem(
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

/** The change log that a manifest names. */
export async function readChangeLog(store: IndexStore, manifest: Manifest): Promise<ChangeLog> {
  return manifest.changes === undefined
    ? emptyChangeLog(manifest.changesSince)
    : decodeChangeLog(manifest.changesSince, await readPart(store, manifest.changes, maxChangeLogBytes));
}

async function foldersOf(
  store: IndexStore,
  before: Manifest | undefined,
  recordsByFolder: ReadonlyMap<string, ReadonlySet<string>>,
  update: IndexUpdate,
): Promise<readonly EcosystemFolder[]> {
  const folders = new Map<string, EcosystemFolder>();
  for (const one of before?.folders ?? [])
    if (update.kept?.has(one.ecosystem) === true) folders.set(one.ecosystem, one);
  for (const [ecosystem, records] of recordsByFolder)
    folders.set(ecosystem, { ecosystem, records: records.size });
  for (const [ecosystem, text] of update.modified?.() ?? []) {
    const modified = await writePart(store, 'records', text);
    folders.set(ecosystem, { ecosystem, records: folders.get(ecosystem)?.records ?? 0, modified });
  }
  return [...folders.values()].sort((a, b) => compareText(a.ecosystem, b.ecosystem));
}

async function writePart(
  store: IndexStore,
  kind: Parameters<typeof partName>[0],
  content: string | Uint8Array,
): Promise<string> {
  const name = partName(kind, content);
  await store.createOnce(name, await pack(content));
  return name;
}

/** Shards are cut and named by their content alone, so their names stand for all rows. */
function hashContent(ecosystems: readonly EcosystemShards[]): string {
  const text = JSON.stringify(ecosystems.map(({ name, bits, shards }) => [name, bits, shards]));
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
