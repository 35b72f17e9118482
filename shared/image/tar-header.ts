/** Fields of a tar header block: POSIX ustar, its GNU and v7 relatives (POSIX.1-2024, pax; GNU tar manual, "Basic Tar Format"). */

export const tarBlockBytes = 512;

/** Reads the header fields of one block. */
export interface TarHeader {
  /** One character; `\0` of old archives stands as it is. */
  readonly type: string;
  /** Bytes that follow, or undefined where the field is ill-formed or negative. */
  readonly size: number | undefined;
  readonly mode: number;
}

/** Whether the block's checksum holds, counted with unsigned bytes as POSIX says or signed ones as some old tools did. */
export function hasValidChecksum(block: Buffer): boolean {
  const expected = parseNumber(block, 148, 8);
  if (expected === undefined || expected === 0) return false;
  return unsignedChecksum(block) === expected || signedChecksum(block) === expected;
}

export function readHeader(block: Buffer): TarHeader {
  return {
    type: String.fromCharCode(block[156] ?? 0),
    size: parseNumber(block, 124, 12),
    mode: (parseNumber(block, 100, 8) ?? 0) & 0o7777,
  };
}

/** The entry's path: `prefix` is a part of it in POSIX archives alone; GNU's use those bytes for times and sparse maps. */
export function readName(block: Buffer): string {
  const nameEnd = fieldEnd(block, 0, 100);
  const prefixEnd = isPosix(block) ? fieldEnd(block, 345, 155) : 345;
  if (prefixEnd === 345) return decodePath(block.subarray(0, nameEnd));
  return decodePath(Buffer.concat([block.subarray(345, prefixEnd), slash, block.subarray(0, nameEnd)]));
}

export function readLinkName(block: Buffer): string {
  return decodePath(block.subarray(157, fieldEnd(block, 157, 100)));
}

/** A number as octal digits or, with the first bit set, base 256; undefined where ill-formed, negative or past 2^53. */
export function parseNumber(block: Buffer, offset: number, length: number): number | undefined {
  const end = offset + length;
  const first = block[offset] ?? 0;
  if ((first & 0x80) !== 0) return parseBase256(block, offset, end);
  let at = offset;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; at < end; at++) if (block[at] !== 0x20 && block[at] !== 0) return undefined;
  return value;
}

/**
 * Bytes as text. Where they are no UTF-8 each wrong byte becomes U+FFFD and its two hex digits, so that two such paths
 * stay two: an archive must not be able to hide a file behind another.
 */
export function decodePath(bytes: Buffer): string {
  const text = bytes.toString('utf8', 0, bytes.length);
  return text.includes(replacement) && !Buffer.from(text).equals(bytes) ? decodeBytewise(bytes) : text;
}

const slash = Buffer.from('/');
const replacement = '\ufffd';

function decodeBytewise(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const part = bytes.subarray(at, at + length);
    const character = part.toString('utf8');
    if (Buffer.from(character).equals(part)) {
      text += character;
      at += length;
    } else {
      text += replacement + lead.toString(16).padStart(2, '0');
      at += 1;
    }
  }
  return text;
}

function parseBase256(block: Buffer, offset: number, end: number): number | undefined {
  const first = block[offset] ?? 0;
  if ((first & 0x40) !== 0) return undefined;
  let value = first & 0x3f;
  for (let at = offset + 1; at < end; at++) {
    value = value * 256 + (block[at] ?? 0);
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return value;
}

function fieldEnd(block: Buffer, offset: number, length: number): number {
  let end = offset;
  while (end < offset + length && block[end] !== 0) end++;
  return end;
}

function isPosix(block: Buffer): boolean {
  // `ustar` and NUL; GNU's old format has `ustar` and two spaces. star's archives end in `tar\0` and have a shorter
  // prefix, but they say ustar too and leave the rest zero.
  return block.readUInt32LE(257) === 0x61747375 && block[261] === 0x72 && block[262] === 0;
}

/** Two bytes of each word are added at once: 128 words of 255 stay below 2^16. Once per entry this is worth it. */
function unsignedChecksum(block: Buffer): number {
  let even = 0;
  let odd = 0;
  for (let at = 0; at < tarBlockBytes; at += 4) {
    const word = at === 148 || at === 152 ? 0x20202020 : block.readInt32LE(at);
    even += word & 0xff00ff;
    odd += (word >>> 8) & 0xff00ff;
  }
  return (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
}

function signedChecksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < tarBlockBytes; at++) {
    if (at < 148 || at >= 156) sum += block.readInt8(at);
  }
  return sum;
}
