/** One pass over a layer's compressed bytes: hash, decode, hash, unpack, all in one stream with back-pressure. */
import { createHash } from 'node:crypto';
import type { Digest } from '../domain/digest.ts';
import { CompressedSource } from './compressed-source.ts';
import { type Compression, decode, detectCompression } from './decompress.ts';
import type { DecodedChunk } from './engine-run.ts';
import type { DecodeEnd, LayerProblem } from './layer-problem.ts';
import type { LayerLimits } from './limits.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { tarBlockBytes } from './tar-header.ts';
import { type TarHandler, TarReader } from './tar-reader.ts';

export interface ArchivePassOptions {
  readonly limits: LayerLimits;
  readonly budget: MemoryBudget;
  readonly onProgress?: ((compressedBytes: number) => void) | undefined;
}

/** A handler that can ask the archive to wait until it has caught up. */
export interface ArchiveHandler extends TarHandler {
  settle(): Promise<void> | undefined;
}

export interface ArchivePass {
  /** Digest of the compressed bytes, to their end whatever happened. */
  readonly digest: Digest;
  /** Digest of the decoded bytes; undefined where not all were decoded. */
  readonly diffId: Digest | undefined;
  readonly compression: Compression;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  readonly entryCount: number;
  readonly problems: readonly LayerProblem[];
}

/** Throws TOO_LARGE past maxLayerCompressedBytes, UNSUPPORTED_RUNTIME for zstd on a Node without it, and what the
 *  source throws. Whatever else is wrong with the bytes is a problem of the result. */
export async function readArchive(
  bytes: AsyncIterable<Uint8Array>,
  handler: ArchiveHandler,
  options: ArchivePassOptions,
): Promise<ArchivePass> {
  const { limits, onProgress } = options;
  const source = new CompressedSource(bytes, { maxBytes: limits.maxLayerCompressedBytes, onProgress });
  const tar = new TarReader(handler, limits);
  try {
    const start = await source.take(tarBlockBytes);
    source.unread(start);
    const compression = detectCompression(start);
    const decoded = await unpack(decode(compression, source, limits, options.budget), tar, handler, limits);
    await handler.settle();
    await source.drain();
    return {
      digest: source.digest(),
      diffId: decoded.diffId,
      compression,
      compressedBytes: source.receivedBytes,
      uncompressedBytes: decoded.bytes,
      entryCount: tar.entryCount,
      problems: [decoded.problem, tar.problem, trailingInArchive(tar)].filter(
        (problem) => problem !== undefined,
      ),
    };
  } finally {
    tar.cut('the layer could not be read to its end');
    await source.close();
  }
}

interface Unpacked {
  readonly bytes: number;
  readonly diffId: Digest | undefined;
  readonly problem: LayerProblem | undefined;
}

async function unpack(
  chunks: AsyncGenerator<DecodedChunk, DecodeEnd>,
  tar: TarReader,
  handler: ArchiveHandler,
  limits: LayerLimits,
): Promise<Unpacked> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for (;;) {
      const step = await chunks.next();
      if (step.done === true) {
        if (step.value.isComplete) tar.finish();
        else tar.cut('the layer is broken before its end');
        const diffId = step.value.isComplete ? (`sha256:${hash.digest('hex')}` as Digest) : undefined;
        return { bytes, diffId, problem: step.value.problem };
      }
      const chunk = step.value.bytes.subarray(0, limits.maxLayerUncompressedBytes - bytes);
      bytes += chunk.length;
      hash.update(chunk);
      tar.push(chunk);
      const settled = handler.settle();
      if (settled !== undefined) await settled;
      const problem = findExcess(
        bytes,
        chunk.length < step.value.bytes.length,
        step.value.compressedBytes,
        limits,
      );
      if (problem !== undefined) {
        tar.cut(problem.detail);
        return { bytes, diffId: undefined, problem };
      }
    }
  } finally {
    await chunks.return({ isComplete: false });
  }
}

/** Both are told by positions in the bytes alone, so that the same bytes end at the same place every time. */
function findExcess(
  bytes: number,
  isCut: boolean,
  compressedBytes: number,
  limits: LayerLimits,
): LayerProblem | undefined {
  if (isCut) {
    const max = limits.maxLayerUncompressedBytes;
    const detail = `expected at most ${max} uncompressed bytes (maxLayerUncompressedBytes), found more; they were not read`;
    return { code: 'LIMIT_BYTES', detail };
  }
  if (bytes > limits.ratioFloorBytes && bytes > limits.maxRatio * compressedBytes) {
    const detail = `expected at most ${limits.maxRatio} uncompressed bytes per compressed byte (maxRatio), found more within the first ${bytes}; the rest was not read`;
    return { code: 'LIMIT_RATIO', detail };
  }
  return undefined;
}

function trailingInArchive(tar: TarReader): LayerProblem | undefined {
  if (!tar.hasTrailingData) return undefined;
  const detail = 'tar: expected zeros behind the end of the archive, found other bytes; they were not read';
  return { code: 'TRAILING_DATA', detail };
}
