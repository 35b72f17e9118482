import { describe, expect, it, vi } from 'vitest';
import { issuesOf, read } from '../support/layer-reading.ts';
import { gzip, writeTar, zstd } from '../support/tar-writer.ts';

// Node's own property cannot be replaced, so the module is, for this file alone.
vi.mock('node:zlib', async (original) => {
  const zlib = await original<typeof import('node:zlib')>();
  return { ...zlib, default: { ...zlib, createZstdDecompress: undefined } };
});

describe('on a Node without zstd', () => {
  const archive = writeTar([{ path: 'a.txt', content: 'x' }]);

  it('a zstd layer fails with what to do', async () => {
    await expect(read(zstd(archive))).rejects.toMatchObject({
      code: 'UNSUPPORTED_RUNTIME',
      message: expect.stringContaining('use Node 22.15 or later'),
    });
  });

  it('other layers are read', async () => {
    expect(issuesOf(await read(gzip(archive)))).toEqual([]);
    expect(issuesOf(await read(archive))).toEqual([]);
  });
});
