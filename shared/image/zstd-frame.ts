/** Where a Zstandard frame ends, told from its headers alone (RFC 8878, section 3.1.1). */
import type { CompressedSource } from './compressed-source.ts';
import type { EngineInput } from './engine-run.ts';

export interface ZstdFrameHeader {
  /** The header behind the magic number. */
  readonly bytes: Buffer;
  /** Memory that decoding needs for the window. */
  readonly windowBytes: number;
  readonly hasChecksum: boolean;
}

/** Reads the header behind the magic number; undefined where it is cut off or uses a reserved bit. */
export async function readZstdFrameHeader(source: CompressedSource): Promise<ZstdFrameHeader | undefined> {
  const descriptor = (await source.take(1))[0];
  if (descriptor === undefined || (descriptor & 0x08) !== 0) return undefined;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowLength = isSingleSegment ? 0 : 1;
  const dictionaryLength = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeLength = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const rest = await source.take(windowLength + dictionaryLength + sizeLength);
  if (rest.length < windowLength + dictionaryLength + sizeLength) return undefined;
  return {
    bytes: Buffer.concat([Buffer.of(descriptor), rest]),
    windowBytes: isSingleSegment ? contentSize(rest.subarray(dictionaryLength)) : windowSize(rest[0] ?? 0),
    hasChecksum: (descriptor & 0x04) !== 0,
  };
}

/** Hands out the bytes of one frame, block header by block header, and ends where the frame ends. */
export class ZstdFrameInput implements EngineInput {
  readonly #source: CompressedSource;
  readonly #hasChecksum: boolean;
  #start: Buffer | undefined;
  #leftInBlock = 0;
  #isLastBlock = false;
  #blockHeader: Buffer = Buffer.alloc(0);
  #isComplete = false;

  /** `magic` and the header were taken from the source already. */
  constructor(source: CompressedSource, magic: Buffer, header: ZstdFrameHeader) {
    this.#source = source;
    this.#hasChecksum = header.hasChecksum;
    this.#start = Buffer.concat([magic, header.bytes]);
  }

  get position(): number {
    return this.#source.position;
  }

  /** Whether the frame's last byte was handed out. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  async next(): Promise<Buffer | undefined> {
    if (this.#start !== undefined) {
      const start = this.#start;
      this.#start = undefined;
      return start;
    }
    if (this.#isComplete) return undefined;
    const bytes = await this.#source.next();
    if (bytes === undefined) return undefined;
    const length = this.#advance(bytes);
    this.#source.unread(bytes.subarray(length));
    return bytes.subarray(0, length);
  }

  /** What a decoder leaves of a frame belongs to nothing else: it is dropped, and the decoder's end tells of it. */
  unread(): void {}

  /** An input that hands out parts once more that were taken from this one, and then the rest. */
  startingWith(parts: readonly Buffer[]): EngineInput {
    const pending = [...parts];
    const length = pending.reduce((sum, part) => sum + part.length, 0);
    return {
      position: this.position - length,
      next: async () => pending.shift() ?? (await this.next()),
      unread: () => {},
    };
  }

  /** How many of the bytes belong to the frame. */
  #advance(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.#isComplete) {
      if (this.#leftInBlock > 0) {
        const length = Math.min(this.#leftInBlock, bytes.length - at);
        at += length;
        this.#leftInBlock -= length;
        this.#isComplete = this.#leftInBlock === 0 && this.#isLastBlock;
        continue;
      }
      const part = bytes.subarray(at, at + 3 - this.#blockHeader.length);
      at += part.length;
      this.#blockHeader = Buffer.concat([this.#blockHeader, part]);
      if (this.#blockHeader.length < 3) break;
      this.#openBlock(this.#blockHeader.readUIntLE(0, 3));
      this.#blockHeader = Buffer.alloc(0);
    }
    return at;
  }

  #openBlock(header: number): void {
    this.#isLastBlock = (header & 1) !== 0;
    const isRunLength = ((header >> 1) & 3) === 1;
    this.#leftInBlock = isRunLength ? 1 : header >> 3;
    if (this.#isLastBlock && this.#hasChecksum) this.#leftInBlock += 4;
    if (this.#leftInBlock === 0) this.#isComplete = this.#isLastBlock;
  }
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(field: Buffer): number {
  if (field.length === 1) return field[0] ?? 0;
  if (field.length === 2) return field.readUInt16LE(0) + 256;
  if (field.length === 4) return field.readUInt32LE(0);
  return Number(field.readBigUInt64LE(0));
}
