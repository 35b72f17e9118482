import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CveRatings } from '../../shared/advisories/cve-list.ts';
import type { IndexStore, PublishedRevision } from '../../shared/advisories/index-store.ts';
import { openIndex } from '../../shared/advisories/open-index.ts';
import { openOsvSource } from '../../shared/advisories/osv-source.ts';
import { type SyncIndexOptions, syncIndex } from '../../shared/advisories/sync-index.ts';
import { createHttpClient } from '../../shared/base/http.ts';
import { type BucketRecord, type BucketServer, startBucketServer } from './bucket-server.ts';
import { memoryStore } from './memory-store.ts';

const download = {
  http: createHttpClient(),
  retries: { attempts: 2, baseDelayMs: 1, maxDelayMs: 2 },
  idleTimeoutMs: 5_000,
};
const now = new Date('2026-06-01T00:00:00Z');

function record(ecosystem: string, name: string, id: string, more: object = {}): BucketRecord {
  return {
    id,
    modified: '2026-01-01T00:00:00Z',
    affected: [
      {
        package: { ecosystem, name },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.0' }] }],
      },
    ],
    ...more,
  };
}

describe('synchronising with a bucket', () => {
  let server: BucketServer;

  beforeEach(async () => {
    server = await startBucketServer();
    put('npm', record('npm', 'a', 'GHSA-1'));
    put('npm', record('npm', 'b', 'GHSA-2'));
    put('Red Hat', record('Red Hat:enterprise_linux:9', 'bash', 'RHSA-1'));
  });

  afterEach(() => server.close());

  function put(ecosystem: string, one: BucketRecord): void {
    const records = server.content.get(ecosystem) ?? new Map<string, BucketRecord>();
    server.content.set(ecosystem, records.set(one.id, one));
  }

  function sync(store: IndexStore, previous?: PublishedRevision, more: Partial<SyncIndexOptions> = {}) {
    return syncIndex({ store, previous, source: openOsvSource(server.url, download), now, ...more });
  }

  async function ids(
    store: IndexStore,
    published: PublishedRevision,
    key: string,
  ): Promise<readonly string[]> {
    const found = await (await openIndex(store, published)).lookup([key]);
    return (found.get(key) ?? []).map((row) => row.id);
  }

  it('reads every ecosystem, spaces in its name included', async () => {
    const store = memoryStore();
    const { published } = await sync(store);
    expect(await ids(store, published, 'Red Hat:enterprise_linux:9|bash')).toEqual(['RHSA-1']);
    expect(server.requests).toContain('/Red%20Hat/all.zip');
    expect(published).toMatchObject({ revision: 1, recordCount: 3, newestAt: '2026-01-01T00:00:00Z' });
  });

  it('takes a record that lies in two ecosystems once for each of them', async () => {
    const both = record('npm', 'shared', 'GHSA-3');
    const affected = [both['affected'], record('NuGet', 'shared', 'x')['affected']].flat();
    put('npm', { ...both, affected });
    put('NuGet', { ...both, affected });
    const store = memoryStore();
    const { published, skipped } = await sync(store);
    expect(await ids(store, published, 'npm|shared')).toEqual(['GHSA-3']);
    expect(await ids(store, published, 'NuGet|shared')).toEqual(['GHSA-3']);
    expect(skipped).toEqual({ 'other-ecosystem': 2 });
  });

  it('fetches only lists where nothing changed', async () => {
    const store = memoryStore();
    const first = await sync(store);
    server.requests.length = 0;
    const second = await sync(store, first.published);
    expect(second.published).toBe(first.published);
    expect(server.requests.sort()).toEqual([
      '/Red%20Hat/modified_id.csv',
      '/ecosystems.txt',
      '/npm/modified_id.csv',
    ]);
  });

  it('fetches only the records that were changed, added or withdrawn', async () => {
    const store = memoryStore();
    const first = await sync(store);
    put(
      'npm',
      record('npm', 'a', 'GHSA-1', { modified: '2026-02-01T00:00:00Z', withdrawn: '2026-02-01T00:00:00Z' }),
    );
    put(
      'npm',
      record('npm', 'b', 'GHSA-2', { modified: '2026-02-01T00:00:00.5Z', summary: 'now with words' }),
    );
    // Dated before everything that is known: the head of the list would miss it.
    put('npm', record('npm', 'c', 'GHSA-3', { modified: '2020-01-01T00:00:00Z' }));
    server.requests.length = 0;
    const second = await sync(store, first.published);
    expect(server.requests.filter((path) => path.endsWith('.json')).sort()).toEqual([
      '/npm/GHSA-1.json',
      '/npm/GHSA-2.json',
      '/npm/GHSA-3.json',
    ]);
    expect(server.requests.some((path) => path.endsWith('.zip'))).toBe(false);
    expect(second.changedKeys).toBe(3);
    expect(second.ecosystems).toEqual({ whole: [], edited: ['npm'], kept: ['Red Hat'] });
    expect(await ids(store, second.published, 'npm|a')).toEqual([]);
    expect(await ids(store, second.published, 'npm|b')).toEqual(['GHSA-2']);
    expect(await ids(store, second.published, 'npm|c')).toEqual(['GHSA-3']);
    const third = await sync(store, second.published);
    expect(third.published).toBe(second.published);
    expect(third.ecosystems.kept).toEqual(['Red Hat', 'npm']);
  });

  it('drops the rows of a record that vanished from the list', async () => {
    const store = memoryStore();
    const first = await sync(store);
    server.content.get('npm')?.delete('GHSA-1');
    const second = await sync(store, first.published);
    expect(second.ecosystems.edited).toEqual(['npm']);
    expect(await ids(store, second.published, 'npm|a')).toEqual([]);
    expect(await ids(store, second.published, 'npm|b')).toEqual(['GHSA-2']);
  });

  it('reads the archive where a listed record has no file, and where many changed', async () => {
    const store = memoryStore();
    const first = await sync(store);
    put('npm', record('npm', 'c', 'GHSA-3'));
    server.statuses.set('/npm/GHSA-3.json', 404);
    const second = await sync(store, first.published);
    expect(second.ecosystems.whole).toEqual(['npm']);
    expect(await ids(store, second.published, 'npm|c')).toEqual(['GHSA-3']);
    put('npm', record('npm', 'd', 'GHSA-4'));
    put('npm', record('npm', 'e', 'GHSA-5'));
    const third = await sync(store, second.published, { maxSingleRecords: 1 });
    expect(third.ecosystems.whole).toEqual(['npm']);
  });

  it('holds the named ecosystems and no others', async () => {
    const store = memoryStore();
    const { published } = await sync(store, undefined, { ecosystems: ['Red Hat'] });
    const index = await openIndex(store, published);
    expect([index.covers('Red Hat:enterprise_linux:9'), index.covers('npm')]).toEqual([true, false]);
    await expect(sync(store, undefined, { ecosystems: ['Cobol'] })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  it('does not count dates in the future as newest', async () => {
    put('npm', record('npm', 'f', 'GHSA-9', { modified: '2027-01-01T00:00:00Z' }));
    expect((await sync(memoryStore())).published.newestAt).toBe('2026-01-01T00:00:00Z');
  });

  it('rates by the CVE list, keeps the ratings of the run before, and rates anew with others', async () => {
    put('npm', record('npm', 'a', 'GHSA-1', { aliases: ['CVE-2024-0001'] }));
    const store = memoryStore();
    const low: CveRatings = new Map([['CVE-2024-0001', { severity: 'low', source: 'cve' }]]);
    const high: CveRatings = new Map([['CVE-2024-0001', { severity: 'high', source: 'cve' }]]);
    const severity = async (published: PublishedRevision) =>
      (await (await openIndex(store, published)).lookup(['npm|a'])).get('npm|a')?.[0]?.severity?.severity;
    const first = await sync(store, undefined, { cveRatings: low });
    expect(await severity(first.published)).toBe('low');
    put('npm', record('npm', 'z', 'GHSA-7'));
    const second = await sync(store, first.published);
    expect(await severity(second.published)).toBe('low');
    expect(second.ecosystems.edited).toEqual(['npm']);
    const third = await sync(store, second.published, { cveRatings: high });
    expect(await severity(third.published)).toBe('high');
    expect(third.changedKeys).toBe(1);
  });

  it.each([
    ['a list', '/npm/modified_id.csv', 503],
    ['an archive', '/npm/all.zip', 500],
    ['the ecosystems', '/ecosystems.txt', 429],
  ])('fails, to be tried again, where %s does not come, and publishes nothing', async (_, path, status) => {
    server.statuses.set(path, status);
    const store = memoryStore();
    await expect(sync(store)).rejects.toMatchObject({ code: 'ADVISORIES_UNREACHABLE', retryable: true });
    expect(store.writes).toEqual([]);
    expect(server.requests.filter((one) => one === path)).toHaveLength(2);
  });

  it('fails where the address is no bucket, refuses, or is not secure', async () => {
    server.statuses.set('/ecosystems.txt', 404);
    await expect(sync(memoryStore())).rejects.toMatchObject({ code: 'ADVISORIES_MISSING' });
    server.statuses.set('/ecosystems.txt', 403);
    await expect(sync(memoryStore())).rejects.toMatchObject({
      code: 'ADVISORIES_UNREACHABLE',
      retryable: false,
    });
    expect(() => openOsvSource('http://feeds.example.org/osv', download)).toThrow(/https/);
  });

  it('killed after any write leaves the old revision as it was', async () => {
    const complete = memoryStore();
    const first = await sync(complete);
    put('npm', record('npm', 'a', 'GHSA-1', { modified: '2026-03-01T00:00:00Z', summary: 'changed' }));
    for (let writes = 0; ; writes += 1) {
      let left = writes;
      const store: IndexStore = {
        read: complete.read,
        createOnce: async (name, bytes) => {
          if (left === 0) throw new Error('killed');
          left -= 1;
          return complete.createOnce(name, bytes);
        },
      };
      const outcome = await sync(store, first.published).catch((error: unknown) => error);
      expect(await ids(complete, first.published, 'npm|a')).toEqual(['GHSA-1']);
      if (!(outcome instanceof Error)) {
        expect(writes).toBeGreaterThan(2);
        return;
      }
    }
  });
});
