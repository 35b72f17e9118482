/** Decodes a layer's bytes; the compression is told from the bytes, never from the manifest. */
import type { LayerInventory } from '../domain/inventory.ts';
import { type CompressedSource, isAllZero } from './compressed-source.ts';
import type { DecodedChunk } from './engine-run.ts';
import { decodeGzip, isGzip } from './gzip.ts';
import { type DecodeEnd, decodedAll } from './layer-problem.ts';
import type { LayerLimits } from './limits.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { hasValidChecksum, tarBlockBytes } from './tar-header.ts';
import { decodeZstd, isZstd } from './zstd.ts';

export type Compression = LayerInventory['compression'];

/** What the first 512 bytes of a layer show: gzip, zstd, an archive (a header, or the end of an empty one). */
export function detectCompression(start: Buffer): Compression {
  if (isGzip(start)) return 'gzip';
  if (isZstd(start)) return 'zstd';
  if (start.length < tarBlockBytes) return 'unknown';
  // Archives older than POSIX have no magic, but their checksum gives them away.
  const isArchive =
    start.toString('latin1', 257, 262) === 'ustar' || hasValidChecksum(start) || isAllZero(start);
  return isArchive ? 'none' : 'unknown';
}

/** Yields the decoded bytes. Throws UNSUPPORTED_RUNTIME (see decodeZstd), and what the source throws. */
export function decode(
  compression: Compression,
  source: CompressedSource,
  limits: LayerLimits,
  budget: MemoryBudget,
): AsyncGenerator<DecodedChunk, DecodeEnd> {
  switch (compression) {
    case 'gzip':
      return decodeGzip(source, limits);
    case 'zstd':
      return decodeZstd(source, limits, budget);
    case 'none':
      return passThrough(source);
    case 'unknown':
      return decodeNothing();
  }
}

async function* passThrough(source: CompressedSource): AsyncGenerator<DecodedChunk, DecodeEnd> {
  for (let bytes = await source.next(); bytes !== undefined; bytes = await source.next()) {
    yield { bytes, compressedBytes: source.position };
  }
  return decodedAll;
}

async function* decodeNothing(): AsyncGenerator<DecodedChunk, DecodeEnd> {
  return {
    problem: {
      code: 'UNSUPPORTED_COMPRESSION',
      detail: 'expected gzip, zstd or an uncompressed tar archive, found other bytes; nothing was read',
    },
    isComplete: false,
  };
}
