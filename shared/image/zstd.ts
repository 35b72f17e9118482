/** Decodes Zstandard (RFC 8878): frames in a row, with skippable frames between them. */
import zlib from 'node:zlib';
import { PlimsollError } from '../domain/errors.ts';
import type { CompressedSource } from './compressed-source.ts';
import {
  type DecodedChunk,
  decodedChunkBytes,
  type Engine,
  type EngineEnd,
  runEngine,
} from './engine-run.ts';
import { brokenDecode, type DecodeEnd, decodedAll, trailingAfterCompressed } from './layer-problem.ts';
import type { LayerLimits } from './limits.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { smallPieceBytes, unzstdSmall } from './small-decode.ts';
import { readZstdFrameHeader, ZstdFrameInput } from './zstd-frame.ts';

export function isZstd(start: Buffer): boolean {
  return start.length >= 4 && (start.readUInt32LE(0) === frameMagic || isSkippable(start));
}

/**
 * Yields the decoded bytes of all frames. Node's own stream ends in silence after one frame, so each frame gets a
 * stream of its own, which is fed that frame alone. Throws UNSUPPORTED_RUNTIME on a Node without zstd, and what the
 * source throws.
 */
export async function* decodeZstd(
  source: CompressedSource,
  limits: LayerLimits,
  budget: MemoryBudget,
): AsyncGenerator<DecodedChunk, DecodeEnd> {
  for (let frame = 1; ; frame++) {
    const magic = await source.take(4);
    if (magic.length === 0) return decodedAll;
    if (!isZstd(magic)) {
      source.unread(magic);
      return (await source.drain()) ? decodedAll : trailingAfterCompressed;
    }
    if (frame > limits.maxMembers) {
      return limited(
        'LIMIT_ENTRIES',
        `expected at most ${limits.maxMembers} frames (maxMembers), found more`,
      );
    }
    if (isSkippable(magic)) {
      if (!(await skipFrame(source)))
        return brokenDecode(`zstd: frame ${frame}: a skippable frame is cut off`);
      continue;
    }
    const header = await readZstdFrameHeader(source);
    if (header === undefined)
      return brokenDecode(`zstd: frame ${frame}: its header is cut off or ill-formed`);
    const windowBytes = Math.max(0, header.windowBytes - freeWindowBytes);
    if (header.windowBytes > limits.maxZstdWindowBytes || !budget.reserve(windowBytes)) {
      return limited(
        'LIMIT_MEMORY',
        `frame ${frame} needs a window of ${header.windowBytes} bytes, which is too large`,
      );
    }
    const input = new ZstdFrameInput(source, magic, header);
    const end = yield* decodeFrame(input);
    budget.release(windowBytes);
    if (end.kind === 'broken') return brokenDecode(`zstd: frame ${frame}: ${end.detail}`);
    if (!input.isComplete) return brokenDecode(`zstd: frame ${frame}: it is cut off`);
  }
}

/** A small frame is decoded at once where that goes; its bytes are kept for the stream where it does not. */
async function* decodeFrame(input: ZstdFrameInput): AsyncGenerator<DecodedChunk, EngineEnd> {
  const createEngine = requireZstd();
  const parts: Buffer[] = [];
  let length = 0;
  for (let part = await input.next(); part !== undefined; part = await input.next()) {
    parts.push(part);
    length += part.length;
    if (length > smallPieceBytes || input.isComplete) break;
  }
  const piece = input.isComplete && length <= smallPieceBytes ? unzstdSmall(Buffer.concat(parts)) : undefined;
  if (piece === undefined) return yield* runEngine(createEngine(), input.startingWith(parts));
  if (piece.bytes.length > 0) yield { bytes: piece.bytes, compressedBytes: input.position };
  return { kind: 'ended' };
}

const frameMagic = 0xfd2fb528;

/** A window up to this size is what every decoder must have (RFC 8878, section 3.1.1.1.2) and is counted in no budget. */
const freeWindowBytes = 8 * 1024 * 1024;

function isSkippable(magic: Buffer): boolean {
  return magic.length >= 4 && (magic.readUInt32LE(0) & 0xfffffff0) >>> 0 === 0x184d2a50;
}

function requireZstd(): () => Engine {
  // A named import of what an older Node lacks would keep the whole program from starting.
  const create: typeof zlib.createZstdDecompress | undefined = zlib.createZstdDecompress;
  if (create === undefined) {
    throw new PlimsollError(
      'UNSUPPORTED_RUNTIME',
      `a layer is compressed with zstd, which this Node ${process.versions.node} cannot decode; use Node 22.15 or later`,
    );
  }
  const params = { [zlib.constants.ZSTD_d_windowLogMax]: 27 };
  return () => create({ chunkSize: decodedChunkBytes, params });
}

async function skipFrame(source: CompressedSource): Promise<boolean> {
  const size = await source.take(4);
  if (size.length < 4) return false;
  let left = size.readUInt32LE(0);
  while (left > 0) {
    const block = await source.next();
    if (block === undefined) return false;
    source.unread(block.subarray(left));
    left -= Math.min(left, block.length);
  }
  return true;
}

function limited(code: 'LIMIT_ENTRIES' | 'LIMIT_MEMORY', detail: string): DecodeEnd {
  return { problem: { code, detail: `zstd: ${detail}` }, isComplete: false };
}
