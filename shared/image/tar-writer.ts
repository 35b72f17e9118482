/** Writes tar headers (POSIX.1-2024, pax), for a folder that is scanned as if it were a layer. */

export interface TarEntry {
  /** Without a leading slash. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'device' | 'fifo';
  readonly size: number;
  readonly mode: number;
  readonly linkTarget?: string;
}

/** Header blocks of one entry; times and owners are zero, so that the same files give the same bytes. */
export function tarHeader(entry: TarEntry): Buffer {
  const records: string[] = [];
  if (Buffer.byteLength(entry.path) > 100) records.push(paxRecord('path', entry.path));
  const target = entry.linkTarget ?? '';
  if (Buffer.byteLength(target) > 100) records.push(paxRecord('linkpath', target));
  if (entry.size > maxOctalSize) records.push(paxRecord('size', String(entry.size)));
  const own = block(
    entry.path,
    typeFlags[entry.type],
    Math.min(entry.size, maxOctalSize),
    entry.mode,
    target,
  );
  if (records.length === 0) return own;
  const data = Buffer.from(records.join(''));
  return Buffer.concat([
    block('pax', 'x', data.byteLength, 0o644, ''),
    data,
    tarPadding(data.byteLength),
    own,
  ]);
}

/** What fills the last block of so many bytes. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((512 - (size % 512)) % 512);
}

/** The end of an archive. */
export const tarEnd: Buffer = Buffer.alloc(1_024);

const maxOctalSize = 0o77777777777;
const typeFlags = { file: '0', directory: '5', symlink: '2', device: '3', fifo: '6' } as const;

function block(path: string, type: string, size: number, mode: number, target: string): Buffer {
  const header = Buffer.alloc(512);
  writeCut(header, path, 0);
  header.write(octal(mode & 0o7777, 7), 100, 'latin1');
  header.write(octal(0, 7), 108, 'latin1');
  header.write(octal(0, 7), 116, 'latin1');
  header.write(octal(size, 11), 124, 'latin1');
  header.write(octal(0, 11), 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write(type, 156, 'latin1');
  writeCut(header, target, 157);
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

/** The first 100 bytes; where there are more, the extended header holds all. */
function writeCut(header: Buffer, text: string, offset: number): void {
  Buffer.from(text).copy(header, offset, 0, 100);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}
