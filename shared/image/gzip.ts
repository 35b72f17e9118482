/** Decodes gzip (RFC 1952): any number of members in a row, each checked against its CRC and length. */
import { crc32, createInflateRaw } from 'node:zlib';
import type { CompressedSource } from './compressed-source.ts';
import { type DecodedChunk, decodedChunkBytes, runEngine } from './engine-run.ts';
import { brokenDecode, type DecodeEnd, decodedAll, trailingAfterCompressed } from './layer-problem.ts';
import type { LayerLimits } from './limits.ts';
import { inflateSmall, smallPieceBytes } from './small-decode.ts';

export function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/**
 * Yields the decoded bytes of all members. Node's own gunzip is not used: it ends in silence at a zero byte after a
 * member, and at other bytes it fails and drops what it decoded before them. Throws what the source throws.
 */
export async function* decodeGzip(
  source: CompressedSource,
  limits: LayerLimits,
): AsyncGenerator<DecodedChunk, DecodeEnd> {
  let isSmall = false;
  for (let member = 0; ; member++) {
    const magic = await source.take(2);
    source.unread(magic);
    if (!isGzip(magic)) {
      if (member === 0) return brokenDecode('gzip: no member found');
      return (await source.drain()) ? decodedAll : trailingAfterCompressed;
    }
    if (member >= limits.maxMembers) {
      const detail = `gzip: expected at most ${limits.maxMembers} members (maxMembers), found more`;
      return { problem: { code: 'LIMIT_ENTRIES', detail }, isComplete: false };
    }
    const headerFault = await readHeader(source, limits.maxMetadataBytes);
    if (headerFault !== undefined) return brokenDecode(`gzip: member ${member + 1}: ${headerFault}`);
    const start = source.position;
    const fault = isSmall ? yield* decodeSmallMember(source) : yield* decodeMember(source);
    isSmall = source.position - start <= smallPieceBytes;
    if (fault !== undefined) return brokenDecode(`gzip: member ${member + 1}: ${fault}`);
  }
}

async function* decodeMember(source: CompressedSource): AsyncGenerator<DecodedChunk, string | undefined> {
  let checksum = 0;
  let length = 0;
  const decoded = runEngine(createInflateRaw({ chunkSize: decodedChunkBytes }), source);
  for (;;) {
    const step = await decoded.next();
    if (step.done === true) {
      if (step.value.kind === 'broken') return step.value.detail;
      break;
    }
    checksum = crc32(step.value.bytes, checksum);
    length = (length + step.value.bytes.length) % 2 ** 32;
    yield step.value;
  }
  return checkTrailer(source, checksum, length);
}

/** As decodeMember, for a member that may be as small as the one before it. */
async function* decodeSmallMember(
  source: CompressedSource,
): AsyncGenerator<DecodedChunk, string | undefined> {
  const block = await source.next();
  const piece = block === undefined ? undefined : inflateSmall(block);
  if (block !== undefined) source.unread(block.subarray(piece?.takenBytes ?? 0));
  if (piece === undefined) return yield* decodeMember(source);
  if (piece.bytes.length > 0) yield { bytes: piece.bytes, compressedBytes: source.position };
  return checkTrailer(source, crc32(piece.bytes), piece.bytes.length);
}

async function checkTrailer(
  source: CompressedSource,
  checksum: number,
  length: number,
): Promise<string | undefined> {
  const trailer = await source.take(8);
  if (trailer.length < 8) return 'its checksum is cut off';
  if (trailer.readUInt32LE(0) !== checksum) return 'its content does not match its CRC-32';
  if (trailer.readUInt32LE(4) !== length) return 'its content does not match its length';
  return undefined;
}

const flag = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/** Skips a member's header; what is wrong with it, or undefined. */
async function readHeader(source: CompressedSource, maxBytes: number): Promise<string | undefined> {
  const fixed = await source.take(10);
  if (fixed.length < 10) return 'its header is cut off';
  const flags = fixed[3] ?? 0;
  if (fixed[2] !== 8) return `unknown compression method ${fixed[2]}`;
  if ((flags & flag.reserved) !== 0) return `unknown header flags ${flags}`;
  if ((flags & flag.extra) !== 0) {
    const size = await source.take(2);
    if (size.length < 2) return 'its header is cut off';
    const length = size.readUInt16LE(0);
    if ((await source.take(length)).length < length) return 'its header is cut off';
  }
  for (const text of [flag.name, flag.comment]) {
    if ((flags & text) !== 0 && !(await skipText(source, maxBytes))) {
      return `a text of its header has no end within ${maxBytes} bytes`;
    }
  }
  if ((flags & flag.headerCrc) !== 0 && (await source.take(2)).length < 2) return 'its header is cut off';
  return undefined;
}

/** Skips a text that ends with a zero byte; false where there is no end within maxBytes. */
async function skipText(source: CompressedSource, maxBytes: number): Promise<boolean> {
  for (let seen = 0; seen <= maxBytes; ) {
    const block = await source.next();
    if (block === undefined) return false;
    const end = block.indexOf(0);
    if (end >= 0) {
      source.unread(block.subarray(end + 1));
      return true;
    }
    seen += block.length;
  }
  return false;
}
