import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { normalizePath, resolveSymlink } from '../../shared/image/layer-path.ts';
import { readLayer } from '../../shared/image/read-layer.ts';
import { read, tellingCataloger } from '../support/layer-reading.ts';
import {
  gzip,
  inChunks,
  type TestEntry,
  writeGnuLong,
  writePax,
  writeTar,
  writeTarEntry,
  zstd,
  zstdSkippable,
} from '../support/tar-writer.ts';

const kinds: readonly TestEntry[] = [
  { path: 'etc/a.txt', content: 'content of a' },
  { path: 'etc/', type: 'directory' },
  { path: 'big.txt', content: Buffer.alloc(400_000, 'words and words ') },
  { path: 'b.txt', type: 'hardlink', link: 'etc/a' },
  { path: 'etc/a', content: 'target' },
  { path: 'c.txt', type: 'hardlink', link: 'etc/a' },
  { path: 'd.txt', type: 'symlink', link: '../x' },
  { path: '.wh.gone' },
  { path: 'etc/.wh..wh..opq' },
  { path: `${'p/'.repeat(100)}e.txt`, content: 'long' },
  {
    path: 'GNUSparseFile.1/s',
    pax: {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 's.txt',
      'GNU.sparse.realsize': '2000',
    },
    content: Buffer.concat([Buffer.from('1\n1000\n5\n'.padEnd(512, '\0')), Buffer.from('hello')]),
  },
];

const layers: readonly Buffer[] = [
  writeTar(kinds),
  gzip(writeTar(kinds)),
  Buffer.concat([...kinds.map((entry) => gzip(writeTarEntry(entry))), gzip(Buffer.alloc(1024))]),
  Buffer.concat([...kinds.flatMap((entry) => [zstd(writeTarEntry(entry)), zstdSkippable(Buffer.from('x'))])]),
  gzip(
    Buffer.concat([
      writePax('g', [['mtime', '1']]),
      writeGnuLong('L', 'long.txt'),
      ...kinds.map(writeTarEntry),
    ]),
  ),
];

const catalogers = [
  tellingCataloger(),
  tellingCataloger({ name: 'grouped', wants: /[ab]\.txt$/, groupOf: () => 'all' }),
];

const readOnce = (layer: Uint8Array, sizes: readonly number[]) =>
  read(layer, { catalogers, reopen: async () => inChunks(layer, sizes) }, sizes);

describe('laws of reading a layer', () => {
  it('the reading does not depend on how the bytes are cut into chunks', async () => {
    const whole = await Promise.all(layers.map((layer) => readOnce(layer, [])));
    const cut = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: layers.length - 1 }), cut, async (index, sizes) => {
        expect(await readOnce(layers[index] ?? Buffer.alloc(0), sizes)).toEqual(whole[index]);
      }),
      { numRuns: 60 },
    );
  });

  it('bytes changed or cut anywhere give an inventory, the same one however they are cut', async () => {
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      byte: fc.integer({ min: 0, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: layers.length - 1 }),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 5 }),
        async (index, changes, end, sizes) => {
          const layer = Buffer.from(layers[index] ?? Buffer.alloc(0));
          for (const { at, byte } of changes) layer[Math.floor(at * (layer.length - 1))] = byte;
          const mutated = end === null ? layer : layer.subarray(0, Math.floor(end * layer.length));
          const reading = await readOnce(mutated, []);
          expect(reading.inventory.compressedBytes).toBe(mutated.length);
          expect(await readOnce(mutated, sizes)).toEqual(reading);
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it('header fields filled with anything give an inventory', async () => {
    const field = fc.record({
      at: fc.integer({ min: 0, max: 511 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 24 }),
      type: fc.constantFrom(...'01234567SLKxgX\0DMVN?'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(field, { minLength: 1, maxLength: 6 }), async (fields) => {
        const entries = fields.map(({ at, bytes, type }) => ({
          path: 'a.txt',
          type,
          content: '30 path=../../../x.txt\n18 size=99999999\n',
          patch: (header: Buffer) => void Buffer.from(bytes).copy(header, at),
        }));
        const layer = writeTar(entries);
        const reading = await readOnce(layer, []);
        for (const path of [...reading.leafPaths, ...reading.inventory.whiteouts]) {
          expect(path.split('/').filter((part) => part === '' || part === '.' || part === '..')).toEqual([]);
        }
        expect(await readOnce(layer, [333])).toEqual(reading);
      }),
      { numRuns: 300 },
    );
  });

  it('the source may fail at any byte, and its error comes through', async () => {
    const failure = new PlimsollError('REGISTRY_UNREACHABLE', 'gone', { retryable: true });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: layers.length - 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 100, max: 70_000 }),
        async (index, share, size) => {
          const layer = layers[index] ?? Buffer.alloc(0);
          const failing = async function* (): AsyncGenerator<Uint8Array> {
            yield* inChunks(layer.subarray(0, Math.floor(share * layer.length)), [size]);
            throw failure;
          };
          const reading = readLayer(failing(), { layerDigest: digestOf(layer), catalogers });
          await expect(reading).rejects.toBe(failure);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('laws of paths', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', '.', '..', '', '...', '.wh.x'), { maxLength: 8 })
    .map((parts) => parts.join('/'));

  it('a normalised path stays as it is, and is never above the root', () => {
    fc.assert(
      fc.property(path, (raw) => {
        const normalized = normalizePath(raw);
        expect(normalized === undefined).toBe(raw.split('/').includes('..'));
        if (normalized !== undefined) expect(normalizePath(normalized)).toBe(normalized);
      }),
    );
  });

  it('a link never leads out of the image', () => {
    fc.assert(
      fc.property(path, path, (from, target) => {
        const resolved = resolveSymlink(normalizePath(from) ?? 'x', target);
        expect(normalizePath(resolved)).toBe(resolved);
      }),
    );
  });
});
