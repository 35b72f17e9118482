import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zipEntries } from '../../shared/advisories/zip-entries.ts';
import { type ZipFileContent, zipOf } from './zip-writer.ts';

const limits = { maxEntryBytes: 1_000, maxEntries: 5, maxTotalBytes: 2_000 };

describe('a zip archive', () => {
  let folder: string;
  let count = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plimsoll-zip-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function read(bytes: Uint8Array): Promise<readonly (readonly [string, string | undefined])[]> {
    const path = join(folder, `${count++}.zip`);
    await writeFile(path, bytes);
    const found: [string, string | undefined][] = [];
    for await (const entry of zipEntries(path, 'test.zip', (name) => name.endsWith('.json'), limits)) {
      found.push([entry.name, entry.bytes === undefined ? undefined : Buffer.from(entry.bytes).toString()]);
    }
    return found;
  }

  const small: ZipFileContent = { name: 'a.json', content: '{"a":1}' };

  it('gives the wanted entries in order', async () => {
    const entries = [small, { name: 'readme.txt', content: 'x' }, { name: 'b/c.json', content: '' }];
    expect(await read(zipOf(entries))).toEqual([
      ['a.json', '{"a":1}'],
      ['b/c.json', ''],
    ]);
  });

  it('gives an entry over the limit without its bytes', async () => {
    expect(await read(zipOf([{ name: 'big.json', content: ' '.repeat(1_001) }, small]))).toEqual([
      ['big.json', undefined],
      ['a.json', '{"a":1}'],
    ]);
  });

  it.each<[string, Uint8Array]>([
    ['is none', Buffer.from('not a zip archive, and long enough to hold an end of directory record')],
    ['is empty', new Uint8Array()],
    ['breaks off', zipOf([small]).subarray(0, 40)],
    [
      'has too many entries',
      zipOf(Array.from({ length: 6 }, (_, index) => ({ name: `${index}.json`, content: '' }))),
    ],
    [
      'unpacks to too much in all',
      zipOf(['a', 'b', 'c'].map((name) => ({ name: `${name}.json`, content: ' '.repeat(900) }))),
    ],
    [
      'has an entry that unpacks to more than it claims',
      zipOf([{ ...small, content: ' '.repeat(900), claimedBytes: 10 }]),
    ],
    ['has an entry that unpacks to less than it claims', zipOf([{ ...small, claimedBytes: 100 }])],
    ['has a name that leaves the folder', zipOf([{ name: '../a.json', content: '' }])],
  ])('is refused where it %s', async (_, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: 'ADVISORIES_INVALID' });
  });
});
