import { describe, expect, it } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import type { ReadLayerOptions } from '../../shared/image/read-layer.ts';
import { issuesOf, read, tellingCataloger, toldBy } from '../support/layer-reading.ts';
import { gzip, inChunks, type TestEntry, writeTar } from '../support/tar-writer.ts';

/** Reads a layer that can be opened again, and counts how often that was done. */
async function readAgain(entries: readonly TestEntry[], options: Partial<ReadLayerOptions> = {}) {
  const layer = gzip(writeTar(entries));
  let opened = 0;
  const reopen = async () => {
    opened++;
    return inChunks(layer, [100]);
  };
  const reading = await read(layer, { reopen, ...options });
  return {
    reading,
    files: reading.inventory.files.map(({ entry, target }) => [entry, target]),
    opened: () => opened,
  };
}

describe('symbolic links at wanted paths', () => {
  it.each([
    ['usr/lib/os.txt', '../share/os.txt', 'usr/share/os.txt'],
    ['os.txt', 'usr/lib/os', 'usr/lib/os'],
    ['etc/os.txt', '/usr/lib/os', 'usr/lib/os'],
    ['etc/os.txt', '../../../../x', 'x'],
    ['etc/os.txt', './/x/./y/', 'etc/x/y'],
    ['etc/os.txt', '/', ''],
  ])('%j to %j leads to %j', async (path, link, target) => {
    const { files, opened } = await readAgain([{ path, type: 'symlink', link }]);
    expect(files).toEqual([['symlink', target]]);
    expect(opened()).toBe(0);
  });

  it('without a usable target are an issue', async () => {
    const { reading } = await readAgain([{ path: 'a.txt', type: 'symlink', link: 'x/'.repeat(3000) }]);
    expect(issuesOf(reading)).toEqual(['UNSAFE_PATH a.txt']);
  });
});

describe('hard links at wanted paths', () => {
  const store = { path: 'store/1', content: 'content' };

  it('are read through a second pass where their target went by unread', async () => {
    const { reading, files, opened } = await readAgain([
      store,
      { path: 'a.txt', type: 'hardlink', link: 'store/1' },
      { path: 'b.txt', type: 'hardlink', link: './store/1' },
    ]);
    expect(toldBy(reading)).toEqual({ 'a.txt': 'content', 'b.txt': 'content' });
    expect(files).toEqual([
      ['file', undefined],
      ['file', undefined],
    ]);
    expect(issuesOf(reading)).toEqual([]);
    expect(opened()).toBe(1);
  });

  it('to a wanted target are claims of both', async () => {
    const { reading } = await readAgain([
      { path: 'a.txt', content: 'content' },
      { path: 'b.txt', type: 'hardlink', link: 'a.txt' },
    ]);
    expect(toldBy(reading)).toEqual({ 'a.txt': 'content', 'b.txt': 'content' });
  });

  it('to a link lead where that one leads', async () => {
    const { reading } = await readAgain([
      store,
      { path: 'x', type: 'hardlink', link: 'store/1' },
      { path: 'a.txt', type: 'hardlink', link: 'x' },
    ]);
    expect(toldBy(reading)).toEqual({ 'a.txt': 'content' });
  });

  it('hold what the target was when they were made', async () => {
    const { reading } = await readAgain([
      { path: 'x', content: 'first' },
      { path: 'x', content: 'second' },
      { path: 'a.txt', type: 'hardlink', link: 'x' },
      { path: 'x', content: 'third' },
    ]);
    expect(toldBy(reading)).toEqual({ 'a.txt': 'second' });
  });

  it('to a symbolic link are one', async () => {
    const { files } = await readAgain([
      { path: 'd/x', type: 'symlink', link: '../y' },
      { path: 'a/b/c.txt', type: 'hardlink', link: 'd/x' },
    ]);
    expect(files).toEqual([['symlink', 'a/y']]);
  });

  it('are members of their group', async () => {
    const { reading } = await readAgain(
      [store, { path: 'a.txt', type: 'hardlink', link: 'store/1' }, { path: 'b.txt', content: 'b' }],
      {
        catalogers: [tellingCataloger({ groupOf: () => 'g' })],
      },
    );
    expect(reading.inventory.groups).toMatchObject([
      { group: 'g', claims: [{ name: 'a.txt' }, { name: 'b.txt' }] },
    ]);
    expect(toldBy(reading)).toEqual({ 'a.txt': 'content', 'b.txt': 'b' });
  });

  it('stay links where the target is not in the layer, without a second pass', async () => {
    const { reading, files, opened } = await readAgain([
      { path: 'a.txt', type: 'hardlink', link: '/lower/x' },
    ]);
    expect(files).toEqual([['hardlink', 'lower/x']]);
    expect(issuesOf(reading)).toEqual([]);
    expect(opened()).toBe(0);
  });

  it('stay links where the target comes only behind them', async () => {
    const { files, reading } = await readAgain([{ path: 'a.txt', type: 'hardlink', link: 'store/1' }, store]);
    expect(files).toEqual([['hardlink', 'store/1']]);
    expect(toldBy(reading)).toEqual({});
  });

  it('are an issue where the layer cannot be opened again', async () => {
    const layer = gzip(writeTar([store, { path: 'a.txt', type: 'hardlink', link: 'store/1' }]));
    const reading = await read(layer);
    expect(issuesOf(reading)).toEqual(['UNRESOLVED_LINK a.txt']);
    expect(reading.inventory.files).toMatchObject([{ entry: 'hardlink', target: 'store/1' }]);
  });

  it('are an issue where the target is too large or does not fit into memory', async () => {
    const entries = [store, { path: 'a.txt', type: 'hardlink', link: 'store/1' }];
    const large = await readAgain(entries, { catalogers: [tellingCataloger({ maxFileBytes: 3 })] });
    expect(issuesOf(large.reading)).toEqual(['FILE_TOO_LARGE a.txt']);
    const full = await readAgain([{ path: 'store/1', content: Buffer.alloc(50_000) }, entries[1] ?? store], {
      limits: { maxMemoryBytes: 20_000 },
    });
    expect(issuesOf(full.reading)).toEqual(['UNRESOLVED_LINK a.txt']);
  });

  it('are an issue where they point out of the image', async () => {
    const { reading } = await readAgain([{ path: 'a.txt', type: 'hardlink', link: '../x' }]);
    expect(issuesOf(reading)).toEqual(['UNSAFE_PATH a.txt']);
  });

  it('believe no other bytes on the second pass', async () => {
    const layer = gzip(writeTar([store, { path: 'a.txt', type: 'hardlink', link: 'store/1' }]));
    const other = gzip(
      writeTar([
        { ...store, content: 'evil' },
        { path: 'a.txt', type: 'hardlink', link: 'store/1' },
      ]),
    );
    const reading = read(layer, { layerDigest: digestOf(layer), reopen: async () => inChunks(other) });
    await expect(reading).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('linked twice count as the last one says', async () => {
    const { reading } = await readAgain([
      store,
      { path: 'store/2', content: 'two' },
      { path: 'a.txt', type: 'hardlink', link: 'store/1' },
      { path: 'a.txt', type: 'hardlink', link: 'store/2' },
    ]);
    expect(toldBy(reading)).toEqual({ 'a.txt': 'two' });
  });
});
