import { describe, expect, it } from 'vitest';
import { issuesOf, read, tellingCataloger, toldBy } from '../support/layer-reading.ts';
import { gzip, type TestEntry, writeTar, writeTarEntry } from '../support/tar-writer.ts';

const readEntries = (entries: readonly TestEntry[]) => read(writeTar(entries));
const readParts = (...parts: readonly Uint8Array[]) => read(Buffer.concat([...parts, Buffer.alloc(1024)]));

describe('paths of entries', () => {
  it.each([
    ['./a.txt', 'a.txt'],
    ['/a.txt', 'a.txt'],
    ['//a//./b.txt', 'a/b.txt'],
    ['.//a.txt', 'a.txt'],
    ['./././a.txt', 'a.txt'],
    ['...txt', '...txt'],
    ['a/..b/c.txt', 'a/..b/c.txt'],
    ['é/ü.txt', 'é/ü.txt'],
    ['__proto__/constructor.txt', '__proto__/constructor.txt'],
  ])('%j is %j', async (path, normalized) => {
    const reading = await readEntries([{ path, content: 'x' }]);
    expect(reading.leafPaths).toEqual([normalized]);
    expect(Object.entries(toldBy(reading))).toEqual([[normalized, 'x']]);
    expect(issuesOf(reading)).toEqual([]);
  });

  it.each(['../a.txt', 'a/../b.txt', '/../a.txt', 'a/..', '..', './..'])(
    '%j is refused, and the entries after it are read',
    async (path) => {
      const reading = await readEntries([
        { path, content: 'evil' },
        { path: 'b.txt', content: 'x' },
      ]);
      expect(issuesOf(reading)).toEqual([`UNSAFE_PATH ${path}`]);
      expect(toldBy(reading)).toEqual({ 'b.txt': 'x' });
      expect(reading.leafPaths).toEqual(['b.txt']);
    },
  );

  it('a NUL or more than 4,096 bytes in a PAX path are refused', async () => {
    const tooLong = `${'é'.repeat(2048)}.txt`;
    const reading = await readEntries([
      { path: 'x', pax: { path: 'a.txt\0b' }, content: 'evil' },
      { path: 'x', pax: { path: tooLong }, content: 'evil' },
      { path: 'b.txt', content: 'x' },
    ]);
    expect(reading.inventory.issues.map((issue) => issue.code)).toEqual(['UNSAFE_PATH', 'UNSAFE_PATH']);
    expect(toldBy(reading)).toEqual({ 'b.txt': 'x' });
  });

  it('that are no UTF-8 stay different ones, and a wanted one is an issue', async () => {
    const names = [[0xff], [0xfe], [0xc3], [0xed, 0xa0, 0x80]];
    const parts = names.map((bytes, index) =>
      writeTarEntry({
        path: '?',
        content: String(index),
        patch: (header) => Buffer.from([...bytes, ...Buffer.from('.txt\0')]).copy(header, 0),
      }),
    );
    const reading = await readParts(...parts);
    expect(reading.inventory.files).toHaveLength(4);
    expect(Object.values(toldBy(reading)).sort()).toEqual(['0', '1', '2', '3']);
    expect(reading.inventory.issues.map((issue) => issue.code)).toEqual(Array(4).fill('UNSAFE_PATH'));
  });

  it('the root itself is no path', async () => {
    const reading = await readEntries([
      { path: './', type: 'directory' },
      { path: '/', type: 'directory' },
    ]);
    expect(reading).toMatchObject({ leafPaths: [], inventory: { issues: [], entryCount: 2 } });
  });
});

describe('whiteouts', () => {
  it('name what they remove, wherever they stand', async () => {
    const reading = await readEntries([
      { path: '.wh.gone' },
      { path: './etc/.wh.b.txt' },
      { path: 'opt/.wh..wh..opq' },
      { path: '.wh..wh..opq' },
      { path: 'etc/.wh.b.txt' },
      { path: 'etc/b.txt', content: 'new' },
    ]);
    expect(reading.inventory.whiteouts).toEqual(['etc/b.txt', 'gone']);
    expect(reading.inventory.opaqueDirectories).toEqual(['', 'opt']);
    expect(reading.leafPaths).toEqual(['etc/b.txt']);
    expect(toldBy(reading)).toEqual({ 'etc/b.txt': 'new' });
  });

  it("skip AUFS' own names with everything below them", async () => {
    const reading = await readEntries([
      { path: '.wh..wh.aufs' },
      { path: '.wh..wh.plnk/', type: 'directory' },
      { path: '.wh..wh.plnk/1.2.txt', content: 'x' },
      { path: 'a/.wh..wh.orph', type: 'directory' },
    ]);
    expect(reading).toMatchObject({ leafPaths: [], inventory: { whiteouts: [], files: [], issues: [] } });
  });

  it.each(['.wh.', 'a/.wh..', 'a/.wh...'])(
    'refuse %j, which names nothing or a directory above',
    async (path) => {
      const reading = await readEntries([{ path }]);
      expect(issuesOf(reading)).toEqual([`UNSAFE_PATH ${path}`]);
      expect(reading.inventory.whiteouts).toEqual([]);
    },
  );

  it('are told by the start of the last name alone', async () => {
    const reading = await readEntries([
      { path: 'x.wh.a.txt', content: '1' },
      { path: 'd/.wh.e/b.txt', content: '2' },
    ]);
    expect(reading.inventory.whiteouts).toEqual([]);
    expect(toldBy(reading)).toEqual({ 'x.wh.a.txt': '1', 'd/.wh.e/b.txt': '2' });
  });
});

describe("eStargz' own files", () => {
  it('are skipped at the root and nowhere else', async () => {
    const names = ['stargz.index.json', '.prefetch.landmark', '.no.prefetch.landmark'];
    const reading = await read(writeTar(names.flatMap((path) => [{ path }, { path: `a/${path}` }])), {
      catalogers: [tellingCataloger({ wants: /json$/ })],
    });
    expect(reading.leafPaths).toEqual(names.map((name) => `a/${name}`).sort());
    expect(reading.inventory.files.map((file) => file.path)).toEqual(['a/stargz.index.json']);
  });
});

describe('a path that comes again in the same layer', () => {
  const file = { path: 'd/a.txt', content: 'old' };
  it.each<[string, readonly TestEntry[], Record<string, string>, readonly string[]]>([
    ['as a file: the last counts', [file, { ...file, content: 'new' }], { 'd/a.txt': 'new' }, ['d/a.txt']],
    ['as a symbolic link', [file, { path: 'd/a.txt', type: 'symlink', link: 'b' }], {}, ['d/a.txt']],
    ['as a directory', [file, { path: 'd/a.txt/', type: 'directory' }], {}, []],
    ['as a device', [file, { path: 'd/a.txt', type: '3' }], {}, ['d/a.txt']],
    ['below a directory that became a file', [file, { path: 'd', content: 'x' }], {}, []],
    ['below a directory that became a link', [file, { path: './d', type: 'symlink', link: '/e' }], {}, []],
    [
      'below a directory that comes again',
      [file, { path: 'd', type: 'directory' }],
      { 'd/a.txt': 'old' },
      ['d/a.txt'],
    ],
    [
      'after the file above it',
      [{ path: 'd' }, { path: 'd', type: 'directory' }, file],
      { 'd/a.txt': 'old' },
      ['d/a.txt'],
    ],
    [
      'beside a file with a longer name',
      [file, { path: 'd/a' }, { path: 'd/a.tx' }],
      { 'd/a.txt': 'old' },
      ['d/a.txt'],
    ],
  ])('%s', async (_name, entries, told, files) => {
    const reading = await readEntries(entries);
    expect(toldBy(reading)).toEqual(told);
    expect(reading.inventory.files.map((row) => row.path)).toEqual(files);
  });

  it.each(['3', '4', '6', 'Z'])('as something that is no file (%s) is told of', async (type) => {
    expect(issuesOf(await readEntries([file, { path: 'd/a.txt', type }]))).toEqual([
      'UNREADABLE_FILE d/a.txt',
    ]);
  });

  it('takes its issues with it', async () => {
    const reading = await read(
      writeTar([
        { path: 'a.txt', content: '123456' },
        { path: 'a.txt', content: '1' },
      ]),
      {
        catalogers: [tellingCataloger({ maxFileBytes: 5 })],
      },
    );
    expect(issuesOf(reading)).toEqual([]);
  });

  it('as a directory is told of, because it hides a lower file', async () => {
    const reading = await readEntries([
      { path: 'd/a.txt/', type: 'directory' },
      { path: 'd', type: 'directory' },
    ]);
    expect(reading.inventory.wantedDirectories).toEqual(['d/a.txt']);
  });
});

describe('limits of entries', () => {
  it('entries past the limit are not read', async () => {
    const entries = ['a', 'b', 'c'].map((name) => ({ path: `${name}.txt`, content: name }));
    const reading = await read(gzip(writeTar(entries)), { limits: { maxEntries: 2 } });
    expect(issuesOf(reading)).toEqual(['LIMIT_ENTRIES']);
    expect(toldBy(reading)).toEqual({ 'a.txt': 'a', 'b.txt': 'b' });
    expect(reading.inventory.entryCount).toBe(2);
    expect(reading.inventory.diffId).toBeDefined();
  });

  it('held files past the memory are an issue each', async () => {
    const entries = ['a', 'b', 'c'].map((name) => ({
      path: `${name}.txt`,
      content: Buffer.alloc(10_000, name),
    }));
    const reading = await read(writeTar(entries), {
      catalogers: [tellingCataloger({ groupOf: () => 'all' })],
      limits: { maxMemoryBytes: 36_000 },
    });
    expect(issuesOf(reading)).toEqual(['LIMIT_MEMORY c.txt']);
    expect(Object.keys(toldBy(reading))).toEqual(['a.txt', 'b.txt']);
  });

  it('paths past the memory are one issue', async () => {
    const entries = Array.from({ length: 100 }, (_, index) => ({ path: `file-${index}` }));
    const reading = await read(writeTar(entries), { limits: { maxMemoryBytes: 2000 } });
    expect(issuesOf(reading)).toEqual(['LIMIT_MEMORY']);
    expect(reading.leafPaths.length).toBeLessThan(100);
  });

  it('claims past the limit are an issue of their file', async () => {
    const entries = ['a', 'b', 'c'].map((name) => ({ path: `${name}.txt` }));
    const reading = await read(writeTar(entries), { limits: { maxClaimBytes: 900 } });
    expect(issuesOf(reading)).toEqual(['LIMIT_MEMORY c.txt']);
    expect(Object.keys(toldBy(reading))).toEqual(['a.txt', 'b.txt']);
  });

  it('issues of one code past the limit are counted', async () => {
    const entries = Array.from({ length: 20 }, (_, index) => ({ path: `../${index}` }));
    const { inventory } = await read(writeTar(entries), { limits: { maxIssuesPerCode: 5 } });
    expect(inventory.issues).toHaveLength(6);
    expect(inventory.issues.at(-1)?.detail).toBe('15 more of this code are not listed');
  });
});
