import { describe, expect, it, vi } from 'vitest';
import type { Cataloger } from '../../shared/catalogers/contract.ts';
import { digestOf, requireDigest } from '../../shared/domain/digest.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { analyzersHash, readLayer } from '../../shared/image/read-layer.ts';
import { claimOf, issuesOf, read, tellingCataloger, toldBy } from '../support/layer-reading.ts';
import { gzip, inChunks, type TestEntry, writeTar, writeTarEntry } from '../support/tar-writer.ts';

const otherDigest = requireDigest(`sha256:${'0'.repeat(64)}`, 'test');

describe('readLayer', () => {
  it('tells digest, diff id, sizes, compression and analyzers of a layer', async () => {
    const archive = writeTar([
      { path: 'etc/', type: 'directory' },
      { path: 'etc/a.txt', content: 'one' },
    ]);
    const layer = gzip(archive);
    const { inventory, leafPaths } = await read(layer);
    expect(inventory).toEqual({
      schema: 1,
      layerDigest: digestOf(layer),
      diffId: digestOf(archive),
      compressedBytes: layer.length,
      uncompressedBytes: archive.length,
      entryCount: 2,
      compression: 'gzip',
      analyzers: [{ name: 'telling', version: 1 }],
      files: [{ path: 'etc/a.txt', cataloger: 'telling', group: 'etc/a.txt', entry: 'file' }],
      groups: [{ cataloger: 'telling', group: 'etc/a.txt', claims: [claimOf('etc/a.txt', 'one')] }],
      whiteouts: [],
      opaqueDirectories: [],
      wantedDirectories: [],
      issues: [],
    });
    expect(leafPaths).toEqual(['etc/a.txt']);
  });

  it('throws DIGEST_MISMATCH where the bytes are other ones', async () => {
    const reading = read(gzip(writeTar([])), { layerDigest: otherDigest });
    await expect(reading).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', retryable: false });
  });

  it('throws DIGEST_MISMATCH also where the bytes are no layer at all', async () => {
    const reading = read(Buffer.from('<html>sign in</html>'), { layerDigest: otherDigest });
    await expect(reading).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('throws TOO_LARGE past the largest compressed size, and ends the transfer', async () => {
    const layer = gzip(writeTar([{ path: 'a.txt', content: 'x'.repeat(5000) }]));
    const ended = vi.fn<() => void>();
    const transfer = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of inChunks(layer, [20])) yield chunk;
      } finally {
        ended();
      }
    };
    const reading = readLayer(transfer(), {
      layerDigest: digestOf(layer),
      catalogers: [],
      limits: { maxLayerCompressedBytes: 50 },
    });
    await expect(reading).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(ended).toHaveBeenCalledOnce();
  });

  it.each([
    ['gzip', gzip],
    ['none', (bytes: Uint8Array) => bytes],
  ])('passes on what the transfer throws (%s)', async (_name, compress) => {
    const failure = new PlimsollError('REGISTRY_UNREACHABLE', 'gone', { retryable: true });
    const content = Buffer.from(Array.from({ length: 900_000 }, (_, index) => (index * index) % 251));
    const layer = compress(writeTar([{ path: 'a.txt', content }]));
    const transfer = async function* (): AsyncGenerator<Uint8Array> {
      yield layer.subarray(0, layer.length / 2);
      throw failure;
    };
    const reading = readLayer(transfer(), {
      layerDigest: digestOf(layer),
      catalogers: [tellingCataloger()],
    });
    await expect(reading).rejects.toBe(failure);
  });

  it('tells its progress in compressed bytes', async () => {
    const layer = gzip(writeTar([{ path: 'a.txt', content: 'x' }]));
    const seen: number[] = [];
    await read(layer, { onProgress: (bytes) => seen.push(bytes) }, [50]);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(layer.length);
  });

  it('makes the same inventory of the same bytes every time', async () => {
    const layer = gzip(
      writeTar([
        { path: 'b.txt', content: 'b' },
        { path: 'a.txt', content: 'a' },
      ]),
    );
    expect(JSON.stringify(await read(layer, {}, [7]))).toBe(JSON.stringify(await read(layer)));
  });

  it('reads an empty archive as a layer without anything', async () => {
    const { inventory, leafPaths } = await read(gzip(writeTar([])));
    expect(inventory).toMatchObject({ entryCount: 0, files: [], issues: [] });
    expect(leafPaths).toEqual([]);
  });
});

describe('analyzersHash', () => {
  const a = { name: 'a', version: 1 };
  const b = { name: 'b', version: 1 };

  it('does not depend on the order, but on every name and version', () => {
    expect(analyzersHash([a, b])).toBe(analyzersHash([b, a]));
    const hashes = [[a, b], [a], [a, { ...b, version: 2 }], [a, { ...b, name: 'c' }], []].map(analyzersHash);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashes[0]).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('catalogers of a layer', () => {
  const archive = (entries: readonly TestEntry[]) => gzip(writeTar(entries));

  it('get a file that several want, each of them once', async () => {
    const names = ['one', 'two'];
    const reading = await read(archive([{ path: 'a.txt', content: 'x' }]), {
      catalogers: names.map((name) => tellingCataloger({ name })),
    });
    expect(reading.inventory.groups).toEqual(
      names.map((cataloger) => ({ cataloger, group: 'a.txt', claims: [claimOf('a.txt', 'x')] })),
    );
  });

  it('get a large file as it comes', async () => {
    const content = Buffer.alloc(3_000_000, 'plimsoll ');
    const parts: number[] = [];
    const counting: Cataloger = {
      ...tellingCataloger({ maxFileBytes: 4_000_000 }),
      async *catalog([file]) {
        let sum = 0;
        for await (const part of file?.stream() ?? []) {
          parts.push(part.length);
          sum += part.length;
        }
        yield claimOf('sum', String(sum));
      },
    };
    const reading = await read(
      archive([
        { path: 'a.txt', content },
        { path: 'b', content: 'x' },
      ]),
      {
        catalogers: [counting],
        limits: { maxMemoryBytes: 100_000 },
      },
    );
    expect(toldBy(reading)).toEqual({ sum: '3000000' });
    expect(parts.length).toBeGreaterThan(5);
  });

  it('may leave a large file before its end', async () => {
    const content = Buffer.alloc(3_000_000, 'plimsoll ');
    const leaving: Cataloger = {
      ...tellingCataloger({ maxFileBytes: 4_000_000 }),
      async *catalog([file]) {
        yield claimOf(file?.path ?? '', 'seen');
      },
    };
    const reading = await read(
      archive([
        { path: 'a.txt', content },
        { path: 'b.txt', content },
      ]),
      {
        catalogers: [leaving],
      },
    );
    expect(toldBy(reading)).toEqual({ 'a.txt': 'seen', 'b.txt': 'seen' });
  });

  it('get the files of a group together, sorted, when the layer is read', async () => {
    const groups: string[][] = [];
    const telling = tellingCataloger({ groupOf: (path) => path.split('/')[0] ?? '' });
    const grouping: Cataloger = {
      ...telling,
      async *catalog(files) {
        groups.push(files.map((file) => file.path));
        yield* telling.catalog(files);
      },
    };
    const entries = ['x/b.txt', 'y/c.txt', 'x/a.txt'].map((path) => ({ path, content: path }));
    const reading = await read(archive(entries), { catalogers: [grouping] });
    expect(groups).toEqual([['x/a.txt', 'x/b.txt'], ['y/c.txt']]);
    expect(reading.inventory.groups.map(({ group, claims }) => [group, claims.length])).toEqual([
      ['x', 2],
      ['y', 1],
    ]);
  });

  it('get no file past their maxFileBytes: it is listed and an issue', async () => {
    const reading = await read(archive([{ path: 'a.txt', content: '12345' }]), {
      catalogers: [
        tellingCataloger({ name: 'small', maxFileBytes: 4 }),
        tellingCataloger({ name: 'held', maxFileBytes: 4, groupOf: () => 'g' }),
        tellingCataloger({ name: 'large', maxFileBytes: 5 }),
      ],
    });
    expect(issuesOf(reading)).toEqual(['FILE_TOO_LARGE a.txt', 'FILE_TOO_LARGE a.txt']);
    expect(reading.inventory.groups.map((group) => group.cataloger)).toEqual(['large']);
    expect(reading.inventory.files).toHaveLength(3);
  });

  it.each([
    ['an error of its own', new TypeError('x is undefined'), 'UNREADABLE_FILE'],
    ['TOO_LARGE', new PlimsollError('TOO_LARGE', 'too large'), 'FILE_TOO_LARGE'],
  ])('that throw %s cost that file alone', async (_name, error, code) => {
    const telling = tellingCataloger();
    const failing: Cataloger = {
      ...telling,
      async *catalog(files) {
        if (files[0]?.path === 'a.txt') throw error;
        yield* telling.catalog(files);
      },
    };
    const reading = await read(archive([{ path: 'a.txt' }, { path: 'b.txt', content: 'b' }]), {
      catalogers: [failing],
    });
    expect(issuesOf(reading)).toEqual([`${code} a.txt`]);
    expect(reading.inventory.issues[0]?.layer).toBe(reading.inventory.layerDigest);
    expect(toldBy(reading)).toEqual({ 'b.txt': 'b' });
  });

  it('that cannot read a file say so: an issue, and no claim of a group', async () => {
    const saying: Cataloger = {
      ...tellingCataloger(),
      async *catalog() {
        yield { kind: 'unreadable', path: 'a.txt', detail: 'line 3 has no name' };
        yield claimOf('p', '1');
      },
    };
    const reading = await read(archive([{ path: 'a.txt' }]), { catalogers: [saying] });
    expect(reading.inventory.issues).toMatchObject([
      { code: 'UNREADABLE_FILE', path: 'a.txt', detail: 'telling: line 3 has no name' },
    ]);
    expect(reading.inventory.groups[0]?.claims).toEqual([claimOf('p', '1')]);
  });

  it('are told of a file that the archive cuts off', async () => {
    const whole = writeTarEntry({ path: 'a.txt', content: Buffer.alloc(700_000, 'x') });
    for (const cut of [whole.subarray(0, 600), whole.subarray(0, 500_000)]) {
      const reading = await read(cut);
      expect(issuesOf(reading)).toEqual(['BROKEN_ARCHIVE', 'UNREADABLE_FILE a.txt']);
    }
  });
});
