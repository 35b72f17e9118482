/** Small tar archives for tests, built from entries; independent of the reader that they test. */
import { gzipSync, zstdCompressSync } from 'node:zlib';

export interface TestEntry {
  readonly path: string;
  /** `file` where it is left out; any other single character is taken as the type flag. */
  readonly type?: 'file' | 'directory' | 'symlink' | 'hardlink' | (string & {});
  readonly content?: string | Uint8Array;
  /** Target of a link. */
  readonly link?: string;
  readonly mode?: number;
  /** PAX records that precede the entry. */
  readonly pax?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /** Writes this over the header's bytes before the checksum is made. */
  readonly patch?: (header: Buffer) => void;
}

export const tarEnd = Buffer.alloc(1024);

/** An archive with its end marker. Paths over 100 bytes get a PAX header. */
export function writeTar(entries: readonly TestEntry[]): Buffer {
  return Buffer.concat([...entries.map(writeTarEntry), tarEnd]);
}

/** Header, content and padding of one entry, with what precedes it. */
export function writeTarEntry(entry: TestEntry): Buffer {
  const content = Buffer.from(entry.content ?? '');
  const pax = Array.isArray(entry.pax) ? [...entry.pax] : Object.entries(entry.pax ?? {});
  if (Buffer.byteLength(entry.path) > 100) pax.push(['path', entry.path]);
  if (Buffer.byteLength(entry.link ?? '') > 100) pax.push(['linkpath', entry.link ?? '']);
  const header = writeTarHeader(entry, content.length);
  return Buffer.concat([pax.length === 0 ? Buffer.alloc(0) : writePax('x', pax), header, pad(content)]);
}

/** A PAX header with its records: `x` for the next entry, `g` for all that follow. */
export function writePax(type: 'x' | 'g', records: readonly (readonly [string, string])[]): Buffer {
  const data = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  return Buffer.concat([writeTarHeader({ path: 'PaxHeaders/x', type }, data.length), pad(data)]);
}

/** GNU's way to a long name (`L`) or link (`K`). */
export function writeGnuLong(type: 'L' | 'K', text: string): Buffer {
  const data = Buffer.from(`${text}\0`);
  return Buffer.concat([writeTarHeader({ path: '././@LongLink', type }, data.length), pad(data)]);
}

export function writeTarHeader(entry: TestEntry, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(entry.path.slice(0, 100), 0, 100);
  header.write(octal(entry.mode ?? 0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(typeFlags[entry.type ?? 'file'] ?? entry.type ?? '0', 156, 'latin1');
  header.write((entry.link ?? '').slice(0, 100), 157, 100);
  header.write('ustar\x0000', 257, 'latin1');
  entry.patch?.(header);
  return sealTarHeader(header);
}

/** Writes the checksum of the header into it. */
export function sealTarHeader(header: Buffer): Buffer {
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

/** Zeros up to the next block. */
export function pad(content: Uint8Array): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

export function gzip(bytes: Uint8Array): Buffer {
  return gzipSync(bytes);
}

export function zstd(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes);
}

/** A skippable zstd frame. */
export function zstdSkippable(content: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a50, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

/** The bytes in chunks of the given sizes, again and again; of one piece where none is given. */
export async function* inChunks(
  bytes: Uint8Array,
  sizes: readonly number[] = [],
): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const typeFlags: Readonly<Record<string, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  directory: '5',
};

function paxRecord(key: string, value: string): Buffer {
  const body = Buffer.from(` ${key}=${value}\n`);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
