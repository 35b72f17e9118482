/** Reading all layers of an image: what they may declare together. */
import { describe, expect, it } from 'vitest';
import { catalogers } from '../../shared/catalogers/registry.ts';
import { readImage } from '../../shared/cli/read-image.ts';
import { type Digest, digestOf } from '../../shared/domain/digest.ts';
import type { ImageRecord } from '../../shared/domain/inventory.ts';
import type { ImageSource } from '../../shared/image/source.ts';
import { writeTar } from '../support/tar-writer.ts';

/** A layer with so many npm packages. */
function layerOf(name: string, packages: number): Buffer {
  return writeTar(
    Array.from({ length: packages }, (_, index) => ({
      path: `${name}/node_modules/p${index}/package.json`,
      content: JSON.stringify({ name: `${name}-${index}`, version: '1.0.0' }),
    })),
  );
}

/** The image of these layers; the first ones come last, as a slow registry might send them. */
function imageOf(layers: readonly Buffer[]): { source: ImageSource; record: ImageRecord } {
  const digest = digestOf('image');
  const byDigest = new Map(layers.map((bytes, index) => [digestOf(bytes), { bytes, index }]));
  const record: ImageRecord = {
    digest,
    mediaType: '',
    configDigest: digest,
    platform: { os: 'linux', architecture: 'amd64' },
    sizeBytes: 0,
    layers: layers.map((bytes) => ({ digest: digestOf(bytes), mediaType: '', sizeBytes: bytes.length })),
  };
  const source: ImageSource = {
    reference: 'test',
    digest,
    issues: [],
    images: async () => [],
    record: async () => record,
    close: async () => {},
    async openLayer(layer) {
      const { bytes = Buffer.alloc(0), index = 0 } = byDigest.get(layer.digest) ?? {};
      return (async function* () {
        for (let turn = index * 50; turn < 100; turn += 1) await new Promise(setImmediate);
        yield bytes;
      })();
    },
  };
  return { source, record };
}

async function missingOf(
  layers: readonly Buffer[],
  maxRows: number,
): Promise<readonly (Digest | undefined)[]> {
  const { source, record } = imageOf(layers);
  const reading = await readImage(source, record, {
    catalogers,
    signal: new AbortController().signal,
    onBytes: () => {},
    maxRows,
  });
  return reading.layers.flatMap((layer) => {
    if (!('missing' in layer)) return [];
    expect(layer.missing).toMatchObject({
      code: 'LIMIT_MEMORY',
      detail: expect.stringContaining('maxImageRows'),
    });
    return [layer.missing.layer];
  });
}

describe('an image whose layers declare too much together', () => {
  const first = layerOf('first', 20);
  const second = layerOf('second', 20);
  const small = layerOf('small', 2);

  it('misses the layers that do not fit, in the order of the image, and says so', async () => {
    expect(await missingOf([first, second, small], 80)).toEqual([digestOf(small)]);
    expect(await missingOf([first, second, small], 79)).toEqual([digestOf(second)]);
    expect(await missingOf([second, first, small], 79)).toEqual([digestOf(first)]);
  });

  it('counts a layer once that it has twice', async () => {
    expect(await missingOf([first, first, second], 80)).toEqual([]);
  });
});
