import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  folderStore,
  openAdvisoryFolder,
  pruneAdvisoryFolder,
  readPublished,
  writePublished,
} from '../../shared/advisories/folder.ts';
import { openOsvFolder } from '../../shared/advisories/osv-source.ts';
import { syncIndex } from '../../shared/advisories/sync-index.ts';
import { zipOf } from './zip-writer.ts';

const now = new Date('2026-06-01T00:00:00Z');

describe('a folder of advisories', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'plimsoll-advisories-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  /** Writes a bucket of one npm record and returns its folder. */
  async function writeBucket(fixed: string): Promise<string> {
    const folder = join(root, 'bucket');
    await mkdir(join(folder, 'npm'), { recursive: true });
    await mkdir(join(folder, 'PyPI'), { recursive: true });
    const content = JSON.stringify({
      id: 'GHSA-1',
      modified: '2026-01-01T00:00:00Z',
      affected: [
        {
          package: { ecosystem: 'npm', name: 'a' },
          ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }],
        },
      ],
    });
    await writeFile(join(folder, 'ecosystems.txt'), 'npm\nPyPI\n../npm\n');
    await writeFile(join(folder, 'npm/all.zip'), zipOf([{ name: 'GHSA-1.json', content }]));
    await writeFile(join(folder, 'PyPI/all.zip'), 'not read by anybody who needs npm alone');
    await writeFile(
      join(folder, 'modified_id.csv'),
      '2026-05-05T00:00:00Z,PyPI/X\n2030-01-01T00:00:00Z,npm/GHSA-1\n',
    );
    return folder;
  }

  async function sync(bucket: string, folder: string): Promise<void> {
    const previous = await readPublished(folder);
    const source = openOsvFolder(bucket);
    const store = folderStore(folder);
    const { published } = await syncIndex({ store, previous, source, ecosystems: ['npm'], now });
    await writePublished(folder, published);
  }

  it('that was synchronised is opened with its revision', async () => {
    const synced = join(root, 'synced');
    await sync(await writeBucket('2.0.0'), synced);
    const index = await openAdvisoryFolder(synced, ['npm'], now);
    expect(index.revision.revision).toBe(1);
    expect((await index.lookup(['npm|a'])).get('npm|a')?.[0]?.id).toBe('GHSA-1');
  });

  it('that is a plain bucket is read for the needed ecosystems alone, without a revision', async () => {
    const index = await openAdvisoryFolder(await writeBucket('2.0.0'), ['npm', 'Debian:12'], now);
    expect(index.revision).toMatchObject({ revision: null, newestAt: '2026-05-05T00:00:00Z' });
    expect([index.covers('npm'), index.covers('Debian:12'), index.covers('PyPI')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await index.changedSince(1, '')).toBe(true);
  });

  it('that is neither names the command to run', async () => {
    await expect(openAdvisoryFolder(join(root, 'nothing'), ['npm'], now)).rejects.toMatchObject({
      code: 'ADVISORIES_MISSING',
      message: expect.stringContaining('plimsoll advisories sync --to'),
    });
  });

  it('whose pointer is broken says so', async () => {
    await writeFile(join(root, 'plimsoll-advisories.json'), '{"revision":');
    await expect(readPublished(root)).rejects.toMatchObject({ code: 'ADVISORIES_INVALID' });
    await writeFile(join(root, 'plimsoll-advisories.json'), '{"revision":1,"manifest":"../../etc/passwd"}');
    await expect(readPublished(root)).rejects.toMatchObject({ code: 'ADVISORIES_INVALID' });
  });

  it('keeps what its revisions name and what is young, and loses the rest', async () => {
    const synced = join(root, 'synced');
    await sync(await writeBucket('2.0.0'), synced);
    const first = await readPublished(synced);
    await sync(await writeBucket('3.0.0'), synced);
    const second = await readPublished(synced);
    if (first === undefined || second === undefined) throw new Error('nothing was synchronised');
    const shards = await readdir(join(synced, 'shards'));
    expect(shards).toHaveLength(2);
    await pruneAdvisoryFolder(synced, [second], now);
    expect(await readdir(join(synced, 'shards'))).toHaveLength(2);
    const old = new Date('2026-01-01T00:00:00Z');
    for (const shard of shards) await utimes(join(synced, 'shards', shard), old, old);
    await pruneAdvisoryFolder(synced, [first, second], now);
    expect(await readdir(join(synced, 'shards'))).toHaveLength(2);
    await pruneAdvisoryFolder(synced, [second], now);
    expect(await readdir(join(synced, 'shards'))).toHaveLength(1);
    const index = await openAdvisoryFolder(synced, ['npm'], now);
    expect((await index.lookup(['npm|a'])).get('npm|a')?.[0]?.ranges[0]?.events[1]).toEqual({
      fixed: '3.0.0',
    });
  });
});
