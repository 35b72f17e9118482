/** Publishes a revision of the index: new shards where rows changed, the others shared with the revision before. */
import { createHash } from 'node:crypto';
import { compareText } from '../base/text-order.ts';
import { coverageKey, hashPackageKey } from '../domain/advisory.ts';
import { buildEcosystem, readEcosystem } from './build-ecosystem.ts';
import { addChanges, emptyChangeLog, encodeChangeLog } from './change-log.ts';
import { idOfRow, pack, type RowText } from './index-format.ts';
import type { IndexStore, PublishedRevision } from './index-store.ts';
import {
  type EcosystemFolder,
  type EcosystemShards,
  encodeManifest,
  type Manifest,
  partName,
  readChangeLog,
  readManifest,
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
