import { describe, expect, it } from 'vitest';
import { issuesOf, read, toldBy } from '../support/layer-reading.ts';
import {
  gzip,
  pad,
  type TestEntry,
  writeGnuLong,
  writePax,
  writeTar,
  writeTarEntry,
  writeTarHeader,
} from '../support/tar-writer.ts';

const readEntries = (entries: readonly TestEntry[]) => read(writeTar(entries));
const readParts = (...parts: readonly Uint8Array[]) => read(Buffer.concat([...parts, Buffer.alloc(1024)]));
const long = `${'d/'.repeat(115)}names.txt`;

describe('headers', () => {
  const content = Buffer.from('content');
  it.each<[string, readonly Uint8Array[]]>([
    ['a PAX path', [writeTarEntry({ path: 'short', pax: { path: long }, content })]],
    ['a GNU long name', [writeGnuLong('L', long), writeTarEntry({ path: 'short', content })]],
    [
      'a ustar prefix',
      [
        writeTarEntry({
          path: long.slice(-99),
          content,
          patch: (h) => void h.write(long.slice(0, -100), 345),
        }),
      ],
    ],
    ['a global PAX path', [writePax('g', [['path', long]]), writeTarEntry({ path: 'short', content })]],
    [
      'a GNU long name before a PAX path, as Go has it',
      [
        writeGnuLong('L', long),
        writePax('x', [['path', 'other']]),
        writeTarEntry({ path: 'short', content }),
      ],
    ],
    [
      'PAX over global PAX',
      [writePax('g', [['path', 'other']]), writeTarEntry({ path: 'short', pax: { path: long }, content })],
    ],
    [
      'two PAX headers in a row',
      [
        writePax('x', [['path', long]]),
        writePax('x', [['mtime', '1']]),
        writeTarEntry({ path: 'short', content }),
      ],
    ],
    [
      'the last of two PAX paths',
      [
        writeTarEntry({
          path: 'short',
          pax: [
            ['path', 'other'],
            ['path', long],
          ],
          content,
        }),
      ],
    ],
  ])('a long path comes from %s', async (_name, parts) => {
    const reading = await readParts(...parts);
    expect(toldBy(reading)).toEqual({ [long]: 'content' });
    expect(issuesOf(reading)).toEqual([]);
  });

  it('a PAX header speaks of one entry, a global one of all that follow until it is taken back', async () => {
    const reading = await readParts(
      writePax('g', [['linkpath', 'global']]),
      writeTarEntry({ path: 'a.txt', type: 'symlink', link: 'x', pax: { linkpath: 'own' } }),
      writeTarEntry({ path: 'b.txt', type: 'symlink', link: 'x' }),
      writePax('g', [['linkpath', '']]),
      writeTarEntry({ path: 'c.txt', type: 'symlink', link: 'x' }),
    );
    expect(reading.inventory.files.map((file) => file.target)).toEqual(['own', 'global', 'x']);
  });

  it.each<[string, (header: Buffer) => void]>([
    ['octal digits', () => {}],
    ['octal digits without an end', (h) => void h.write('000000000007', 124)],
    ['octal digits behind blanks', (h) => void h.write('          7\0', 124)],
    ['base 256', (h) => void Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]).copy(h, 124)],
  ])('a size is read from %s', async (_name, patch) => {
    const reading = await readEntries([
      { path: 'a.txt', content, patch },
      { path: 'b.txt', content: 'x' },
    ]);
    expect(toldBy(reading)).toEqual({ 'a.txt': 'content', 'b.txt': 'x' });
  });

  it('a size in PAX stands above the one in the header', async () => {
    const header = writeTarHeader({ path: 'a.txt' }, 0);
    const reading = await readParts(
      writePax('x', [['size', '7']]),
      header,
      pad(content),
      writeTarEntry({ path: 'b.txt' }),
    );
    expect(toldBy(reading)).toEqual({ 'a.txt': 'content', 'b.txt': '' });
  });

  it.each<[string, readonly Uint8Array[]]>([
    ['a wrong checksum', [writeTarHeader({ path: 'a.txt' }, 0).fill('9', 148, 149)]],
    ['a negative size', [writeTarEntry({ path: 'a.txt', patch: (h) => void h.fill(0xff, 124, 136) })]],
    ['a size past 2^53', [writeTarEntry({ path: 'a.txt', patch: (h) => void h.fill(0xbf, 124, 136) })]],
    ['a size of letters', [writeTarEntry({ path: 'a.txt', patch: (h) => void h.write('zzz', 124) })]],
    ['a PAX record that is too long', [writeBrokenPax('30 path=a\n'), writeTarEntry({ path: 'a.txt' })]],
    ['a PAX record that is too short', [writeBrokenPax('5 path=a\n'), writeTarEntry({ path: 'a.txt' })]],
    ['a PAX record without a length', [writeBrokenPax('path=a\n'), writeTarEntry({ path: 'a.txt' })]],
    ['a PAX record without a value', [writeBrokenPax('8 path\n\n'), writeTarEntry({ path: 'a.txt' })]],
    ['a PAX size of letters', [writePax('x', [['size', 'x']]), writeTarEntry({ path: 'a.txt' })]],
    ['a negative PAX size', [writePax('x', [['size', '-1']]), writeTarEntry({ path: 'a.txt' })]],
  ])('%s breaks the archive; what came before stays', async (_name, parts) => {
    const reading = await readParts(writeTarEntry({ path: 'first.txt', content: 'x' }), ...parts);
    expect(issuesOf(reading)).toEqual(['BROKEN_ARCHIVE']);
    expect(toldBy(reading)).toEqual({ 'first.txt': 'x' });
    expect(reading.inventory.diffId).toBe(reading.inventory.layerDigest);
  });

  it('a wrong checksum at the very start is a broken archive too', async () => {
    const header = writeTarHeader({ path: 'a.txt' }, 0).fill('9', 148, 149);
    expect(issuesOf(await readParts(header))).toEqual(['BROKEN_ARCHIVE']);
  });

  it('an archive older than POSIX is known by its checksum', async () => {
    const patch = (header: Buffer) => void header.fill(0, 257);
    const reading = await readEntries([
      { path: 'a.txt', content, patch },
      { path: 'd/', type: '\0', patch },
    ]);
    expect(reading.inventory).toMatchObject({ compression: 'none', issues: [] });
    expect(reading.leafPaths).toEqual(['a.txt']);
  });

  it('a sum over signed bytes, as old tools made it, is accepted', async () => {
    const header = writeTarHeader({ path: 'é.txt' }, 0);
    const sum = header.reduce(
      (total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : (byte << 24) >> 24),
      0,
    );
    header.write(sum.toString(8).padStart(6, '0'), 148);
    expect((await readParts(header)).leafPaths).toEqual(['é.txt']);
  });

  it('an extended header past 1 MiB ends the reading', async () => {
    const reading = await readParts(
      writePax('x', [['comment', 'x'.repeat(1_100_000)]]),
      writeTarEntry({ path: 'a.txt' }),
    );
    expect(issuesOf(reading)).toEqual(['LIMIT_BYTES']);
  });
});

describe('the end of an archive', () => {
  const entry = writeTarEntry({ path: 'a.txt', content: 'x' });
  it.each<[string, Uint8Array, readonly string[]]>([
    ['two zero blocks', Buffer.alloc(1024), []],
    ['zeros up to a record of 10,240 bytes', Buffer.alloc(10_240 - 1024), []],
    ['one zero block', Buffer.alloc(512), []],
    ['nothing after a whole entry', Buffer.alloc(0), []],
    [
      'an entry behind two zero blocks',
      Buffer.concat([Buffer.alloc(1024), writeTarEntry({ path: 'b.txt' })]),
      ['TRAILING_DATA'],
    ],
    [
      'an entry behind one zero block',
      Buffer.concat([Buffer.alloc(512), writeTarEntry({ path: 'b.txt' })]),
      ['TRAILING_DATA'],
    ],
    ['a byte far behind the end', Buffer.concat([Buffer.alloc(700_000), Buffer.of(1)]), ['TRAILING_DATA']],
    ['half a header', writeTarEntry({ path: 'b.txt' }).subarray(0, 300), ['BROKEN_ARCHIVE']],
    ['a header without its content', writeTarHeader({ path: 'b' }, 10), ['BROKEN_ARCHIVE']],
    ['a PAX header without its entry', writePax('x', [['path', 'b.txt']]), ['BROKEN_ARCHIVE']],
  ])('%s', async (_name, end, issues) => {
    const reading = await read(gzip(Buffer.concat([entry, end])));
    expect(issuesOf(reading)).toEqual(issues);
    expect(toldBy(reading)).toEqual({ 'a.txt': 'x' });
  });
});

function writeBrokenPax(data: string): Buffer {
  return Buffer.concat([
    writeTarHeader({ path: 'PaxHeaders/x', type: 'x' }, data.length),
    pad(Buffer.from(data)),
  ]);
}
