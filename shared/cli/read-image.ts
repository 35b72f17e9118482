/** Reads all layers of an image, a few at a time, as judging takes them. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Cataloger } from '../catalogers/contract.ts';
import type { CoverageCode, CoverageIssue } from '../domain/coverage.ts';
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { ImageLayer, ImageRecord } from '../domain/inventory.ts';
import type { LayerSource } from '../image/compose.ts';
import { ImageBudget } from '../image/image-budget.ts';
import { analyzersHash, readLayer } from '../image/read-layer.ts';
import type { ImageSource } from '../image/source.ts';

/** Layers in flight: one unpacks while the bytes of the next arrive. More would only hold more memory. */
const layersAtOnce = 2;

export type LayerResult = LayerSource | { readonly missing: CoverageIssue };

export interface ImageReading {
  /** One per layer of the record, bottom first. */
  readonly layers: readonly LayerResult[];
  /** Hash over the image and what read it: the same bytes under the same analyzers have the same. */
  readonly inventoriesHash: string;
}

export interface ReadImageOptions {
  readonly catalogers: readonly Cataloger[];
  readonly signal: AbortSignal;
  /** Told of every chunk: its compressed bytes. */
  readonly onBytes: (bytes: number) => void;
  /** Most rows of all inventories, instead of maxImageRows. */
  readonly maxRows?: number;
}

/**
 * Each layer once, however often the image has it. A layer that is not there, too large, has other bytes than its
 * digest says, or is past what an image may declare, becomes its issue; every other failure is thrown.
 */
export async function readImage(
  source: ImageSource,
  record: ImageRecord,
  options: ReadImageOptions,
): Promise<ImageReading> {
  const results = new Map<Digest, LayerResult>();
  const unique = [...new Map(record.layers.map((layer) => [layer.digest, layer])).values()];
  const waiting = [...unique];
  const unbudgeted = unique.map((layer) => layer.digest);
  const budget = new ImageBudget(options.maxRows);
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const work = async (): Promise<void> => {
    for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) {
      results.set(layer.digest, await readOne(source, record, layer, { ...options, signal }));
      applyBudget();
    }
  };
  /** In the image's order, whichever layer is read first: the same image must have the same report. */
  const applyBudget = (): void => {
    for (let digest = unbudgeted[0]; digest !== undefined; digest = unbudgeted[0]) {
      const result = results.get(digest);
      if (result === undefined) return;
      const missing = 'missing' in result ? undefined : budget.take(result.inventory);
      if (missing !== undefined) results.set(digest, { missing });
      unbudgeted.shift();
    }
  };
  const workers = Array.from({ length: layersAtOnce }, async () => {
    try {
      await work();
    } catch (error) {
      // The other workers' layers are of no use any more.
      failed.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(workers);
  await Promise.all(workers);
  return {
    layers: record.layers.map(({ digest }) => results.get(digest) ?? unread(digest)),
    inventoriesHash: hashOf(record, analyzersHash(options.catalogers)),
  };
}

async function readOne(
  source: ImageSource,
  record: ImageRecord,
  layer: ImageLayer,
  options: ReadImageOptions,
): Promise<LayerResult> {
  try {
    const { inventory, leafPaths } = await readLayer(await open(source, layer, options), {
      layerDigest: layer.digest,
      catalogers: options.catalogers,
      reopen: () => open(source, layer, options),
    });
    // The lowest layer has nothing below it that its paths could hide.
    const isOnlyLowest = record.layers.findLastIndex(({ digest }) => digest === layer.digest) === 0;
    return { inventory, leafPaths: await keepPacked(isOnlyLowest ? [] : leafPaths) };
  } catch (error) {
    const code = missingCode(error);
    if (code === undefined) throw error;
    return { missing: { code, layer: layer.digest, detail: (error as PlimsollError).message } };
  }
}

async function open(
  source: ImageSource,
  layer: ImageLayer,
  options: ReadImageOptions,
): Promise<AsyncIterable<Uint8Array>> {
  return watched(await source.openLayer(layer), options);
}

async function* watched(
  bytes: AsyncIterable<Uint8Array>,
  options: ReadImageOptions,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    options.signal.throwIfAborted();
    options.onBytes(chunk.byteLength);
    yield chunk;
  }
}

/** What makes a layer missing rather than the scan fail. */
function missingCode(error: unknown): CoverageCode | undefined {
  if (!(error instanceof PlimsollError)) return undefined;
  switch (error.code) {
    case 'DIGEST_MISMATCH':
      return 'LAYER_DIGEST_MISMATCH';
    case 'TOO_LARGE':
      return 'LAYER_TOO_LARGE';
    case 'NOT_FOUND':
      return 'LAYER_NOT_AVAILABLE';
    default:
      return undefined;
  }
}

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** Keeps the paths compressed until composing asks for them: all layers of a large image hold millions. */
async function keepPacked(paths: readonly string[]): Promise<() => Promise<readonly string[]>> {
  if (paths.length === 0) return async () => [];
  // No path holds a zero byte: it would end the name in the archive.
  const packed = await pack(Buffer.from(paths.join('\0')), { level: 1 });
  return async () => (await unpack(packed)).toString('utf8').split('\0');
}

function hashOf(record: ImageRecord, analyzers: string): string {
  const hash = createHash('sha256').update(record.digest);
  for (const { digest } of record.layers) hash.update(`\n${digest}.${analyzers}`);
  return hash.digest('hex');
}

function unread(digest: Digest): never {
  throw new RangeError(`layer ${digest} was not read`);
}
