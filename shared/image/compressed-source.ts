/** The compressed bytes of a layer as they come: counted, hashed, and cut into blocks of one size. */
import { createHash, type Hash } from 'node:crypto';
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';

/** Blocks start at multiples of this, whatever the chunks of the transport: what a broken stream yields before it
 *  breaks depends on how it is cut, and the same bytes must give the same inventory. */
export const sourceBlockBytes = 256 * 1024;

export interface CompressedSourceOptions {
  readonly maxBytes: number;
  readonly onProgress?: ((compressedBytes: number) => void) | undefined;
}

/** Reads once, forward, with what was taken too much put back. One caller at a time. */
export class CompressedSource {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #options: CompressedSourceOptions;
  readonly #hash: Hash = createHash('sha256');
  readonly #putBack: Buffer[] = [];
  #chunk: Buffer = Buffer.alloc(0);
  #isAtEnd = false;
  #receivedBytes = 0;
  #position = 0;

  constructor(bytes: AsyncIterable<Uint8Array>, options: CompressedSourceOptions) {
    this.#iterator = bytes[Symbol.asyncIterator]();
    this.#options = options;
  }

  /** Bytes received and hashed so far. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Offset of the byte that next() returns first. */
  get position(): number {
    return this.#position;
  }

  /** The next block, or undefined at the end. Throws TOO_LARGE past maxBytes, and what the transport throws. */
  async next(): Promise<Buffer | undefined> {
    const block = this.#putBack.pop() ?? (await this.#nextBlock());
    if (block !== undefined) this.#position += block.length;
    return block;
  }

  /** Puts bytes back: next() returns them first. */
  unread(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#position -= bytes.length;
    this.#putBack.push(bytes);
  }

  /** Exactly `length` bytes, fewer only at the end. */
  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const block = await this.next();
      if (block === undefined) break;
      parts.push(block.subarray(0, missing));
      this.unread(block.subarray(missing));
      missing -= Math.min(missing, block.length);
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** Reads to the end; returns whether all that was left is zeros. */
  async drain(): Promise<boolean> {
    let isZero = true;
    for (let block = await this.next(); block !== undefined; block = await this.next()) {
      isZero = isZero && isAllZero(block);
    }
    return isZero;
  }

  /** Digest of everything received; only once, after the end. */
  digest(): Digest {
    return `sha256:${this.#hash.digest('hex')}` as Digest;
  }

  /** Ends the transport where it was not read to its end. */
  async close(): Promise<void> {
    if (!this.#isAtEnd) await this.#iterator.return?.();
    this.#isAtEnd = true;
  }

  async #nextBlock(): Promise<Buffer | undefined> {
    let block: Buffer | undefined;
    let filled = 0;
    for (;;) {
      if (this.#chunk.length === 0 && !(await this.#receive())) break;
      if (block === undefined && this.#chunk.length >= sourceBlockBytes) {
        const whole = this.#chunk.subarray(0, sourceBlockBytes);
        this.#chunk = this.#chunk.subarray(sourceBlockBytes);
        return whole;
      }
      block ??= Buffer.allocUnsafe(sourceBlockBytes);
      const length = Math.min(this.#chunk.length, sourceBlockBytes - filled);
      this.#chunk.copy(block, filled, 0, length);
      this.#chunk = this.#chunk.subarray(length);
      filled += length;
      if (filled === sourceBlockBytes) break;
    }
    return filled === 0 ? undefined : block?.subarray(0, filled);
  }

  async #receive(): Promise<boolean> {
    if (this.#isAtEnd) return false;
    for (;;) {
      const step = await this.#iterator.next();
      if (step.done === true) {
        this.#isAtEnd = true;
        return false;
      }
      const bytes = step.value;
      if (bytes.length === 0) continue;
      this.#receivedBytes += bytes.length;
      if (this.#receivedBytes > this.#options.maxBytes) {
        throw new PlimsollError(
          'TOO_LARGE',
          `layer: expected at most ${this.#options.maxBytes} compressed bytes (maxLayerCompressedBytes), found more; build the image with smaller layers`,
        );
      }
      this.#hash.update(bytes);
      this.#chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#options.onProgress?.(this.#receivedBytes);
      return true;
    }
  }
}

const zeros = Buffer.alloc(64 * 1024);

/** Whether every byte is zero. */
export function isAllZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length);
    if (zeros.compare(part, 0, part.length, 0, part.length) !== 0) return false;
  }
  return true;
}
