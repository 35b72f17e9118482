import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IndexUpdate, publishIndex } from '../../shared/advisories/build-index.ts';
import {
  addChanges,
  changedAfter,
  emptyChangeLog,
  maxLoggedKeys,
} from '../../shared/advisories/change-log.ts';
import { decodeRow, decodeShard, encodeRow, encodeShard } from '../../shared/advisories/index-format.ts';
import type { PublishedRevision } from '../../shared/advisories/index-store.ts';
import { openIndex } from '../../shared/advisories/open-index.ts';
import type { KeyedRow } from '../../shared/advisories/osv-record.ts';
import { type AdvisoryRow, coverageKey, encodeKeyHashes, packageKey } from '../../shared/domain/advisory.ts';
import { type CountingStore, memoryStore } from './memory-store.ts';

const newestAt = (): string => '2026-01-01T00:00:00Z';

function rowOf(ecosystem: string, name: string, id: string, fixed = '2.0'): KeyedRow {
  return {
    key: packageKey(ecosystem, name),
    row: {
      id,
      aliases: [`CVE-${id}`],
      summary: `Something about ${name}`,
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
      severity: { severity: 'high', source: 'cve', cvss: { vector: 'CVSS:3.1/AV:N', score: 7.5 } },
    },
  };
}

/** Enough rows that an ecosystem is cut into several shards. */
function manyRows(count: number): KeyedRow[] {
  return Array.from({ length: count }, (_, index) => rowOf('npm', `package-${index}`, `GHSA-${index}`));
}

async function publish(
  store: CountingStore,
  rows: readonly KeyedRow[],
  previous?: PublishedRevision,
  update: Partial<IndexUpdate> = {},
) {
  return publishIndex(store, previous, rows, { newestAt, ...update });
}

const rating = fc.record(
  {
    severity: fc.constantFrom('critical', 'high', 'medium', 'low', 'negligible'),
    source: fc.constantFrom('cve', 'distro'),
    cvss: fc.record({ vector: fc.string(), score: fc.integer({ min: 0, max: 10 }) }),
  },
  { requiredKeys: ['severity', 'source'] },
);
const version = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.nat().map(String),
  fc.constantFrom('0', '1.10', '1.9'),
);
const event = fc.oneof(
  version.map((introduced) => ({ introduced })),
  version.map((fixed) => ({ fixed })),
  version.map((lastAffected) => ({ lastAffected })),
  version.map((limit) => ({ limit })),
);
const anyRow: fc.Arbitrary<AdvisoryRow> = fc.record(
  {
    id: fc.string({ minLength: 1 }),
    aliases: fc.array(fc.string()),
    bundled: fc.array(fc.record({ id: fc.string(), severity: rating }, { requiredKeys: ['id'] })),
    summary: fc.string({ minLength: 1 }),
    ranges: fc.array(fc.record({ type: fc.constantFrom('SEMVER', 'ECOSYSTEM'), events: fc.array(event) })),
    versions: fc.uniqueArray(version, { minLength: 1 }),
    severity: rating,
    fixState: fc.constantFrom('wont-fix', 'deferred'),
    malicious: fc.constant(true),
  },
  { requiredKeys: ['id', 'aliases', 'ranges'] },
) as fc.Arbitrary<AdvisoryRow>;

function sortVersions(row: AdvisoryRow): AdvisoryRow {
  return row.versions === undefined ? row : { ...row, versions: [...row.versions].sort() };
}

describe('a row of the index', () => {
  it('comes back as it was, its versions in any order', () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        expect(decodeRow(encodeRow(row))).toEqual(sortVersions(row));
      }),
    );
  });

  it('comes back from a shard that it shares with others', () => {
    const packages = fc.uniqueArray(
      fc.record({ name: fc.string(), rows: fc.array(anyRow, { minLength: 1 }) }),
      {
        selector: (one) => one.name,
      },
    );
    fc.assert(
      fc.property(packages, (all) => {
        const text = encodeShard(all.map(({ name, rows }) => ({ name, rows: rows.map(encodeRow) })));
        const shard = decodeShard(text, 'test');
        for (const { name, rows } of all) {
          expect((shard.rows(name) ?? []).map(sortVersions)).toEqual(rows.map(sortVersions));
        }
      }),
    );
  });
});

describe('an index', () => {
  it('gives the rows of the keys that it is asked for, and only those', async () => {
    const store = memoryStore();
    const { published } = await publish(store, [
      rowOf('npm', 'a', '1'),
      rowOf('npm', 'a', '2'),
      rowOf('npm', 'b', '3'),
    ]);
    const index = await openIndex(store, published);
    const found = await index.lookup(['npm|a', 'npm|nothing', 'PyPI|a']);
    expect([...found.keys()]).toEqual(['npm|a']);
    expect(found.get('npm|a')?.map((row) => row.id)).toEqual(['1', '2']);
    expect(found.get('npm|a')?.[0]).toEqual(rowOf('npm', 'a', '1').row);
  });

  it('covers the ecosystems of its rows, with their suffix', async () => {
    const store = memoryStore();
    const { published } = await publish(store, [rowOf('Debian:11', 'a', '1')]);
    const index = await openIndex(store, published);
    expect(['Debian:11', 'Debian:12', 'Debian', 'npm'].filter((one) => index.covers(one))).toEqual([
      'Debian:11',
    ]);
  });

  it('reads only the shards that the keys stand in, each once', async () => {
    const store = memoryStore();
    const { published } = await publish(store, manyRows(4_000));
    const shards = [...store.parts.keys()].filter((name) => name.startsWith('shards/'));
    expect(shards.length).toBeGreaterThan(3);
    const index = await openIndex(store, published);
    store.reads.length = 0;
    const found = await index.lookup(['npm|package-1']);
    await index.lookup(['npm|package-1']);
    expect(found.get('npm|package-1')).toHaveLength(1);
    expect(store.reads).toHaveLength(1);
  });

  it('finds every one of many packages', async () => {
    const store = memoryStore();
    const rows = manyRows(4_000);
    const { published } = await publish(store, rows);
    const found = await (await openIndex(store, published)).lookup(rows.map((one) => one.key));
    expect(found.size).toBe(4_000);
  });

  it('tells a part that is gone or was changed', async () => {
    const store = memoryStore();
    const { published } = await publish(store, [rowOf('npm', 'a', '1'), rowOf('npm', 'b', '2')]);
    const index = await openIndex(store, published);
    const [shard = ''] = [...store.parts.keys()].filter((name) => name.startsWith('shards/'));
    const bytes = store.parts.get(shard) ?? new Uint8Array();
    store.parts.set(shard, new Uint8Array([1, 2, 3]));
    await expect(index.lookup(['npm|a'])).rejects.toMatchObject({ code: 'ADVISORIES_INVALID' });
    const other = await publish(store, [rowOf('npm', 'x', '9')]);
    const otherShard = [...store.parts.keys()].findLast((name) => name.startsWith('shards/')) ?? '';
    expect(other.published.revision).toBe(1);
    store.parts.set(shard, store.parts.get(otherShard) ?? bytes);
    await expect(index.lookup(['npm|a'])).rejects.toMatchObject({ code: 'ADVISORIES_INVALID' });
    store.parts.delete(shard);
    await expect(index.lookup(['npm|a'])).rejects.toMatchObject({ code: 'ADVISORIES_MISSING' });
  });
});

describe('publishing', () => {
  it('gives the same bytes for the same rows in any order', async () => {
    const [one, other] = [memoryStore(), memoryStore()];
    const rows = [...manyRows(500), rowOf('PyPI', 'a', '1'), rowOf('Debian:12', 'a', '1')];
    const first = await publish(one, rows);
    const second = await publish(other, [...rows].reverse());
    expect(second.published).toEqual(first.published);
    expect([...other.parts.keys()].sort()).toEqual([...one.parts.keys()].sort());
  });

  it('publishes nothing where the rows are the same', async () => {
    const store = memoryStore();
    const first = await publish(store, manyRows(50));
    const written = store.writes.length;
    const again = await publish(store, manyRows(50), first.published);
    expect(again.published).toBe(first.published);
    expect(again.changedKeys).toBe(0);
    expect(store.writes).toHaveLength(written);
  });

  it('shares the shards that did not change with the revision before', async () => {
    const store = memoryStore();
    const first = await publish(store, manyRows(4_000));
    store.writes.length = 0;
    const second = await publish(
      store,
      [...manyRows(3_999), rowOf('npm', 'package-3999', 'GHSA-3999', '3.0')],
      first.published,
    );
    expect(second.published.revision).toBe(2);
    expect(second.changedKeys).toBe(1);
    expect(store.writes.filter((name) => name.startsWith('shards/'))).toHaveLength(1);
  });

  it('leaves the revision before readable', async () => {
    const store = memoryStore();
    const first = await publish(store, [rowOf('npm', 'a', '1', '2.0')]);
    const second = await publish(store, [rowOf('npm', 'a', '1', '3.0')], first.published);
    const fixed = async (published: PublishedRevision) =>
      (await (await openIndex(store, published)).lookup(['npm|a'])).get('npm|a')?.[0]?.ranges[0]?.events[1];
    expect(await fixed(first.published)).toEqual({ fixed: '2.0' });
    expect(await fixed(second.published)).toEqual({ fixed: '3.0' });
  });

  it('by editing records comes to the same content as publishing everything anew', async () => {
    const store = memoryStore();
    const first = await publish(store, [...manyRows(600), rowOf('PyPI', 'a', 'PYSEC-1')]);
    const changed = rowOf('npm', 'package-7', 'GHSA-7', '9.0');
    const added = rowOf('npm', 'new', 'GHSA-new');
    const edited = await publish(store, [changed, added], first.published, {
      kept: new Set(['PyPI']),
      edited: new Map([['npm', new Set(['GHSA-7', 'GHSA-new', 'GHSA-8'])]]),
    });
    const rows = manyRows(600).filter((one) => one.row.id !== 'GHSA-7' && one.row.id !== 'GHSA-8');
    const anew = await publish(memoryStore(), [...rows, changed, added, rowOf('PyPI', 'a', 'PYSEC-1')]);
    expect(edited.published.contentHash).toBe(anew.published.contentHash);
    expect(edited.changedKeys).toBe(3);
  });

  it('drops what is neither given, kept nor edited', async () => {
    const store = memoryStore();
    const first = await publish(store, [rowOf('npm', 'a', '1'), rowOf('PyPI', 'a', '1')]);
    const second = await publish(store, [rowOf('npm', 'a', '1')], first.published);
    expect((await openIndex(store, second.published)).covers('PyPI')).toBe(false);
  });

  it('that fails in the middle of the rows publishes nothing', async () => {
    const store = memoryStore();
    const failing = async function* (): AsyncIterable<KeyedRow> {
      yield rowOf('npm', 'a', '1');
      throw new Error('the feed broke off');
    };
    await expect(publishIndex(store, undefined, failing(), { newestAt })).rejects.toThrow('broke off');
    expect(store.writes).toEqual([]);
  });
});

describe('what changed since a revision', () => {
  async function revisions(...contents: readonly (readonly KeyedRow[])[]) {
    const store = memoryStore();
    let published: PublishedRevision | undefined;
    for (const rows of contents) published = (await publish(store, rows, published)).published;
    if (published === undefined) throw new Error('no revision');
    const index = await openIndex(store, published);
    return (since: number, ...keys: string[]) => index.changedSince(since, encodeKeyHashes(keys));
  }
  const a = rowOf('npm', 'a', '1');
  const b = rowOf('npm', 'b', '2');

  it('is the keys whose rows changed after it', async () => {
    const changed = await revisions(
      [a, b],
      [a, rowOf('npm', 'b', '2', '3.0')],
      [rowOf('npm', 'a', '1', '3.0'), rowOf('npm', 'b', '2', '3.0')],
    );
    expect(await changed(1, 'npm|b')).toBe(true);
    expect(await changed(2, 'npm|b')).toBe(false);
    expect(await changed(2, 'npm|a')).toBe(true);
    expect(await changed(2, 'npm|c', 'npm|b')).toBe(false);
    expect(await changed(3, 'npm|a')).toBe(false);
  });

  it('is a key whose rows are all gone, and one that came back', async () => {
    const changed = await revisions([a, b], [a], [a, b]);
    expect(await changed(1, 'npm|b')).toBe(true);
    expect(await changed(2, 'npm|b')).toBe(true);
    expect(await changed(3, 'npm|b')).toBe(false);
  });

  it('is an ecosystem that began or ceased to be covered', async () => {
    const changed = await revisions([a], [a, rowOf('Debian:12', 'x', '1')], [a]);
    expect(await changed(1, coverageKey('Debian:12'))).toBe(true);
    expect(await changed(2, coverageKey('Debian:12'))).toBe(true);
    expect(await changed(1, coverageKey('npm'))).toBe(false);
  });

  it('is everything before the first revision, which is not known', async () => {
    const changed = await revisions([a]);
    expect(await changed(0, 'npm|unheard-of')).toBe(true);
    expect(await changed(1, 'npm|a')).toBe(false);
  });

  it('notices a package that moved because the ecosystem was cut into more shards', async () => {
    const few = manyRows(10);
    const many = [...manyRows(4_000)];
    const changed = await revisions(few, many);
    expect(await changed(1, 'npm|package-3')).toBe(false);
    expect(await changed(1, 'npm|package-3999')).toBe(true);
  });

  it('forgets the oldest revisions where too many keys changed, and then says yes', () => {
    let log = emptyChangeLog(1);
    const keys = Array.from({ length: maxLoggedKeys }, (_, index) => index);
    log = addChanges(log, 2, [4_000_000_000]);
    log = addChanges(log, 3, keys);
    expect(log.since).toBe(2);
    expect(changedAfter(log, 1, Uint32Array.of(7))).toBe(true);
    expect(changedAfter(log, 2, Uint32Array.of(4_000_000_000))).toBe(false);
    expect(changedAfter(log, 2, Uint32Array.of(7))).toBe(true);
  });
});
