/** Sparse files in tar archives (GNU tar manual, "Storing Sparse Files"): the old header and PAX versions 0.0, 0.1, 1.0. */
import { parseNumber, tarBlockBytes } from './tar-header.ts';
import { decimal, type PaxFields } from './tar-pax.ts';
import type { TarSink } from './tar-reader.ts';

/** Where the stored bytes lie in the file; what is between them is zeros. */
export interface SparseRegion {
  readonly offset: number;
  readonly length: number;
}

export interface SparseFile {
  /** Size of the file with its holes. */
  readonly size: number;
  /** Undefined in version 1.0, where the map precedes the data. */
  readonly regions: readonly SparseRegion[] | undefined;
  readonly name?: string;
}

/** The file that the records describe; undefined where they describe none, `broken` where they are ill-formed. */
export function readPaxSparse(pax: PaxFields): SparseFile | 'broken' | undefined {
  const { sparse } = pax;
  if (sparse === undefined) return undefined;
  const size = decimal(sparse.realsize ?? sparse.size ?? '');
  const name = sparse.name === undefined || sparse.name === '' ? {} : { name: sparse.name };
  if (sparse.major !== undefined && sparse.major !== '0') {
    const isKnown = sparse.major === '1' && (sparse.minor ?? '0') === '0' && size !== undefined;
    return isKnown ? { size, regions: undefined, ...name } : 'broken';
  }
  if (sparse.map === undefined && sparse.numblocks === undefined) return undefined;
  const numbers = (sparse.map ?? '').split(',').filter((text) => text !== '');
  const regions = pairUp(numbers.map(decimal));
  if (size === undefined || regions === undefined) return 'broken';
  return { size, regions, ...name };
}

/** Regions of an old GNU header (4 at offset 386) or of an extension block (21 at offset 0); undefined if ill-formed. */
export function readOldRegions(block: Buffer, isExtension: boolean): SparseRegion[] | undefined {
  const start = isExtension ? 0 : 386;
  const regions: SparseRegion[] = [];
  for (let at = start; at < start + (isExtension ? 21 : 4) * 24; at += 24) {
    if (block[at] === 0) break;
    const offset = parseNumber(block, at, 12);
    const length = parseNumber(block, at + 12, 12);
    if (offset === undefined || length === undefined) return undefined;
    regions.push({ offset, length });
  }
  return regions;
}

/** Whether an extension block follows. */
export function hasExtension(block: Buffer, isExtension: boolean): boolean {
  return block[isExtension ? 504 : 482] !== 0;
}

/** Size of the file of an old GNU header, with its holes. */
export function readOldSize(block: Buffer): number | undefined {
  return parseNumber(block, 483, 12);
}

/** Fills the holes on the way to another sink. An ill-formed map aborts it; the archive itself goes on. */
export class SparseSink implements TarSink {
  readonly #target: TarSink;
  readonly #size: number;
  readonly #maxMapBytes: number;
  #regions: readonly SparseRegion[] | undefined;
  #map: Buffer = Buffer.alloc(0);
  #region = 0;
  #takenOfRegion = 0;
  #position = 0;
  #isAborted = false;

  constructor(target: TarSink, file: SparseFile, maxMapBytes: number) {
    this.#target = target;
    this.#size = file.size;
    this.#maxMapBytes = maxMapBytes;
    if (file.regions !== undefined) this.#setRegions(file.regions);
  }

  write(bytes: Buffer): void {
    if (this.#isAborted) return;
    const data = this.#regions === undefined ? this.#readMap(bytes) : bytes;
    for (let at = 0; at < data.length && !this.#isAborted; ) {
      const region = this.#regions?.[this.#region];
      if (region === undefined) return this.abort('its sparse map holds fewer bytes than are stored');
      this.#fill(region.offset + this.#takenOfRegion - this.#position);
      const length = Math.min(region.length - this.#takenOfRegion, data.length - at);
      if (length > 0) this.#target.write(data.subarray(at, at + length));
      at += length;
      this.#position += length;
      this.#takenOfRegion += length;
      this.#skipFullRegions();
    }
  }

  end(): void {
    if (this.#isAborted) return;
    if (this.#regions === undefined) return this.abort('its sparse map is cut off');
    if (this.#region < this.#regions.length)
      return this.abort('its sparse map holds more bytes than are stored');
    this.#fill(this.#size - this.#position);
    this.#target.end();
  }

  abort(reason: string): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#target.abort(reason);
  }

  #setRegions(regions: readonly SparseRegion[]): void {
    let end = 0;
    for (const region of regions) {
      if (region.offset < end) return this.abort('its sparse map is not in order');
      end = region.offset + region.length;
    }
    if (end > this.#size) return this.abort('its sparse map passes the end of the file');
    this.#regions = regions;
    this.#skipFullRegions();
  }

  #skipFullRegions(): void {
    for (;;) {
      const region = this.#regions?.[this.#region];
      if (region === undefined || this.#takenOfRegion < region.length) return;
      this.#region++;
      this.#takenOfRegion = 0;
    }
  }

  /** Collects the map of version 1.0 (decimal numbers, one a line, padded to a block); returns the bytes behind it. */
  #readMap(bytes: Buffer): Buffer {
    this.#map = Buffer.concat([this.#map, bytes]);
    if (this.#map.length < tarBlockBytes) return nothing;
    const countEnd = this.#map.indexOf(0x0a);
    const count = countEnd < 0 ? undefined : decimal(this.#map.toString('latin1', 0, Math.min(countEnd, 20)));
    if (count === undefined) return this.#refuse('its sparse map is ill-formed');
    const end = endOfLine(this.#map, 1 + 2 * count);
    const padded = end === undefined ? undefined : Math.ceil(end / tarBlockBytes) * tarBlockBytes;
    if (end === undefined || padded === undefined || this.#map.length < padded) {
      if (this.#map.length > this.#maxMapBytes) return this.#refuse('its sparse map is too large');
      return nothing;
    }
    const regions = pairUp(
      this.#map
        .toString('latin1', countEnd + 1, end)
        .trimEnd()
        .split('\n')
        .map(decimal),
    );
    const rest = this.#map.subarray(padded);
    this.#map = nothing;
    if (count === 0) this.#setRegions([]);
    else if (regions === undefined) return this.#refuse('its sparse map is ill-formed');
    else this.#setRegions(regions);
    return rest;
  }

  #refuse(reason: string): Buffer {
    this.abort(reason);
    return nothing;
  }

  #fill(length: number): void {
    for (let left = length; left > 0; left -= zeros.length) {
      this.#target.write(zeros.subarray(0, Math.min(left, zeros.length)));
    }
    this.#position += Math.max(0, length);
  }
}

const nothing = Buffer.alloc(0);
const zeros = Buffer.alloc(64 * 1024);

function pairUp(numbers: readonly (number | undefined)[]): SparseRegion[] | undefined {
  if (numbers.length % 2 !== 0) return undefined;
  const regions: SparseRegion[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    const offset = numbers[at];
    const length = numbers[at + 1];
    if (offset === undefined || length === undefined) return undefined;
    regions.push({ offset, length });
  }
  return regions;
}

/** Offset behind the n-th line feed, or undefined. */
function endOfLine(bytes: Buffer, lines: number): number | undefined {
  let at = 0;
  for (let line = 0; line < lines; line++) {
    const next = bytes.indexOf(0x0a, at);
    if (next < 0) return undefined;
    at = next + 1;
  }
  return at;
}
