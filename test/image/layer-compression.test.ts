import { constants, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { issuesOf, read, toldBy } from '../support/layer-reading.ts';
import { gzip, tarEnd, writeTar, writeTarEntry, zstd, zstdSkippable } from '../support/tar-writer.ts';

const parts = [
  writeTarEntry({ path: 'a.txt', content: 'first' }),
  writeTarEntry({ path: 'dir/b.txt', content: 'second' }),
  writeTarEntry({ path: 'noise', content: makeNoise(600_000) }),
  writeTarEntry({ path: 'c.txt', content: 'third' }),
  tarEnd,
];
const archive = Buffer.concat(parts);
const everything = { 'a.txt': 'first', 'dir/b.txt': 'second', 'c.txt': 'third' };

describe('a layer is read whatever its compression', () => {
  const empty = Buffer.alloc(0);
  it.each<[string, Buffer, string]>([
    ['an uncompressed archive', archive, 'none'],
    ['one gzip member', gzip(archive), 'gzip'],
    ['a gzip member for each entry', Buffer.concat(parts.map(gzip)), 'gzip'],
    ['empty gzip members between', Buffer.concat(parts.flatMap((part) => [gzip(empty), gzip(part)])), 'gzip'],
    ['a gzip member cut inside an entry', cutInTwo(gzip), 'gzip'],
    ['a gzip member with all header fields', Buffer.concat([gzipWithHeader(archive)]), 'gzip'],
    ['zeros after the last gzip member', Buffer.concat([gzip(archive), Buffer.alloc(10_000)]), 'gzip'],
    ['stored gzip blocks', gzipSync(archive, { level: 0 }), 'gzip'],
    ['one zstd frame', zstd(archive), 'zstd'],
    ['a zstd frame for each entry', Buffer.concat(parts.map(zstd)), 'zstd'],
    ['zstd frames with checksums', Buffer.concat(parts.map(zstdWithChecksum)), 'zstd'],
    ['a zstd frame cut inside an entry', cutInTwo(zstd), 'zstd'],
    ['empty zstd frames between', Buffer.concat(parts.flatMap((part) => [zstd(empty), zstd(part)])), 'zstd'],
    [
      'skippable frames before, between and after',
      Buffer.concat([
        zstdSkippable(Buffer.alloc(0)),
        ...parts.flatMap((part) => [zstd(part), zstdSkippable(Buffer.alloc(300_000, 'x'))]),
      ]),
      'zstd',
    ],
    ['zeros after the last zstd frame', Buffer.concat([zstd(archive), Buffer.alloc(10_000)]), 'zstd'],
  ])('%s', async (_name, layer, compression) => {
    for (const chunkSizes of [[], [1000, 1, 65_536]]) {
      const reading = await read(layer, {}, chunkSizes);
      expect(reading.inventory).toMatchObject({ compression, issues: [], diffId: digestOf(archive) });
      expect(toldBy(reading)).toEqual(everything);
    }
  });

  it('cut at any place between two chunks', async () => {
    const small = writeTar([{ path: 'a.txt', content: 'x' }]);
    for (const layer of [
      Buffer.concat([gzip(small.subarray(0, 700)), gzip(small.subarray(700))]),
      Buffer.concat([zstd(small.subarray(0, 700)), zstdSkippable(Buffer.of(1)), zstd(small.subarray(700))]),
    ]) {
      for (let at = 1; at < layer.length; at++) {
        const reading = await read(layer, {}, [at, layer.length]);
        expect(reading.inventory).toMatchObject({ issues: [], diffId: digestOf(small) });
      }
    }
  });
});

describe('what follows the compressed data is never passed over in silence', () => {
  it.each<[string, Buffer]>([
    ['text after a gzip member', Buffer.concat([gzip(archive), Buffer.from('hello')])],
    ['one byte after a gzip member', Buffer.concat([gzip(archive), Buffer.of(1)])],
    ['half a magic number after a gzip member', Buffer.concat([gzip(archive), Buffer.of(0x1f)])],
    ['zeros and a second gzip member', Buffer.concat([gzip(archive), Buffer.alloc(3), gzip(archive)])],
    ['zstd after gzip', Buffer.concat([gzip(archive), zstd(archive)])],
    ['text after a zstd frame', Buffer.concat([zstd(archive), Buffer.from('hello')])],
    ['half a magic number after a zstd frame', Buffer.concat([zstd(archive), Buffer.of(0x28, 0xb5)])],
    ['gzip after zstd', Buffer.concat([zstd(archive), gzip(archive)])],
  ])('%s', async (_name, layer) => {
    const reading = await read(layer);
    expect(issuesOf(reading)).toEqual(['TRAILING_DATA']);
    expect(toldBy(reading)).toEqual(everything);
    expect(reading.inventory).toMatchObject({ diffId: digestOf(archive), compressedBytes: layer.length });
  });
});

describe('broken compressed data is an issue, and the rest is still hashed', () => {
  const whole = gzip(archive);
  const frame = zstdWithChecksum(archive);
  it.each<[string, Buffer, string]>([
    ['a gzip member cut off', whole.subarray(0, -20), 'BROKEN_ARCHIVE'],
    ['a gzip member without its checksum', whole.subarray(0, -8), 'BROKEN_ARCHIVE'],
    ['a gzip header cut off', whole.subarray(0, 6), 'BROKEN_ARCHIVE'],
    ['a wrong CRC', changed(whole, -8), 'BROKEN_ARCHIVE'],
    ['a wrong length', changed(whole, -4), 'BROKEN_ARCHIVE'],
    ['an unknown gzip method', changed(whole, 2), 'BROKEN_ARCHIVE'],
    ['a second gzip member cut off', Buffer.concat([whole, whole.subarray(0, 12)]), 'BROKEN_ARCHIVE'],
    ['a gzip member that is ill-formed inside', changed(whole, 300_000), 'BROKEN_ARCHIVE'],
    ['a zstd frame cut off', frame.subarray(0, -20), 'BROKEN_ARCHIVE'],
    ['a zstd frame without its checksum', frame.subarray(0, -4), 'BROKEN_ARCHIVE'],
    ['a wrong zstd checksum', changed(frame, -1), 'BROKEN_ARCHIVE'],
    ['a zstd header cut off', frame.subarray(0, 5), 'BROKEN_ARCHIVE'],
    [
      'a skippable frame cut off',
      Buffer.concat([frame, zstdSkippable(Buffer.alloc(9)).subarray(0, 12)]),
      'BROKEN_ARCHIVE',
    ],
    ['bytes of another kind', Buffer.alloc(2000, 'hello '), 'UNSUPPORTED_COMPRESSION'],
    ['bzip2', Buffer.from('BZh91AY&SY'), 'UNSUPPORTED_COMPRESSION'],
    ['no bytes at all', Buffer.alloc(0), 'UNSUPPORTED_COMPRESSION'],
  ])('%s', async (_name, layer, code) => {
    const reading = await read(layer, {}, [10_000]);
    expect(issuesOf(reading)).toEqual([code]);
    expect(reading.inventory.compressedBytes).toBe(layer.length);
    expect(reading.inventory.layerDigest).toBe(digestOf(layer));
    const isWhole = layer.length > whole.length && layer.subarray(0, whole.length).equals(whole);
    if (!isWhole) expect(reading.inventory.diffId).toBeUndefined();
  });
});

describe('limits of compressed data', () => {
  it('a ratio past the limit ends the reading, once the floor is passed', async () => {
    const layer = gzip(
      writeTar([
        { path: 'a.txt', content: 'x' },
        { path: 'zeros', content: Buffer.alloc(9_000_000) },
      ]),
    );
    const bomb = await read(layer, { limits: { maxRatio: 100, ratioFloorBytes: 1_000_000 } });
    expect(issuesOf(bomb)).toEqual(['LIMIT_RATIO']);
    expect(toldBy(bomb)).toEqual({ 'a.txt': 'x' });
    expect(bomb.inventory).toMatchObject({ diffId: undefined, compressedBytes: layer.length });
    expect(bomb.inventory.uncompressedBytes).toBeLessThan(2_000_000);
    const harmless = await read(layer, { limits: { maxRatio: 100, ratioFloorBytes: 10_000_000 } });
    expect(issuesOf(harmless)).toEqual([]);
  });

  it('uncompressed bytes past the limit end the reading exactly there', async () => {
    for (const compress of [gzip, zstd, Buffer.from]) {
      const reading = await read(compress(archive), { limits: { maxLayerUncompressedBytes: 1500 } });
      expect(issuesOf(reading)).toEqual(['LIMIT_BYTES']);
      expect(reading.inventory).toMatchObject({ uncompressedBytes: 1500, diffId: undefined });
      expect(toldBy(reading)).toEqual({ 'a.txt': 'first' });
    }
    const fits = await read(gzip(archive), { limits: { maxLayerUncompressedBytes: archive.length } });
    expect(issuesOf(fits)).toEqual([]);
  });

  it.each([
    ['gzip', gzip],
    ['zstd', zstd],
  ])('more members or frames than the limit end the reading (%s)', async (_name, compress) => {
    const layer = Buffer.concat(parts.map(compress));
    expect(issuesOf(await read(layer, { limits: { maxMembers: parts.length } }))).toEqual([]);
    const reading = await read(layer, { limits: { maxMembers: 1 } });
    expect(issuesOf(reading)).toEqual(['LIMIT_ENTRIES']);
    expect(toldBy(reading)).toEqual({ 'a.txt': 'first' });
  });

  it('a zstd window past the limit is refused, one past 8 MiB counts as memory', async () => {
    const wide = zstdStored(archive, 25);
    const mebibyte = 1024 * 1024;
    expect(issuesOf(await read(wide))).toEqual([]);
    expect(issuesOf(await read(wide, { limits: { maxZstdWindowBytes: 16 * mebibyte } }))).toEqual([
      'LIMIT_MEMORY',
    ]);
    expect(issuesOf(await read(wide, { limits: { maxMemoryBytes: 20 * mebibyte } }))).toEqual([
      'LIMIT_MEMORY',
    ]);
    expect(issuesOf(await read(wide, { limits: { maxMemoryBytes: 25 * mebibyte } }))).toEqual([]);
  });
});

function cutInTwo(compress: (bytes: Uint8Array) => Buffer): Buffer {
  return Buffer.concat([compress(archive.subarray(0, 700)), compress(archive.subarray(700))]);
}

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 0x55;
  return copy;
}

/** RFC 1952: extra field, name, comment and header CRC (which nothing checks). */
function gzipWithHeader(bytes: Buffer): Buffer {
  const plain = gzip(bytes);
  const header = Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3]);
  const fields = Buffer.from('\x06\0SG\x02\0xxname\0comment\0CC', 'latin1');
  return Buffer.concat([header, fields, deflateRawSync(bytes), plain.subarray(-8)]);
}

function zstdWithChecksum(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
}

/** RFC 8878, section 3.1.1: a frame with a window of 2^windowLog bytes and its content in raw blocks. */
function zstdStored(bytes: Buffer, windowLog: number): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3])];
  for (let at = 0; at < bytes.length; at += 100_000) {
    const block = bytes.subarray(at, at + 100_000);
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (at + block.length === bytes.length ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}

function makeNoise(length: number): Buffer {
  const noise = Buffer.alloc(length);
  for (let at = 0, state = 1; at < length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    noise[at] = state >>> 16;
  }
  return noise;
}
