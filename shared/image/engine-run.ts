/** Runs one of zlib's streams over a source, so that decoding goes on in its thread while the caller works. */
import type { Transform } from 'node:stream';
import type { CompressedSource } from './compressed-source.ts';

/** Decoded bytes and how many compressed bytes, in whole blocks, had gone in when they came out. */
export interface DecodedChunk {
  readonly bytes: Buffer;
  readonly compressedBytes: number;
}

/** A zlib stream that stops by itself at the end of its own data. */
export type Engine = Transform & { readonly bytesWritten: number };

/** `ended`: at its end, the source standing right behind it. `broken`: the data is ill-formed or cut off. */
export type EngineEnd = { readonly kind: 'ended' } | { readonly kind: 'broken'; readonly detail: string };

/** What an engine reads: `next` as in CompressedSource; bytes that the engine did not take are put back. */
export type EngineInput = Pick<CompressedSource, 'next' | 'unread' | 'position'>;

/** Decoded size of one chunk: small enough for the processor's cache, where it is hashed and parsed. */
export const decodedChunkBytes = 256 * 1024;

/** Chunks that may wait for the caller before the engine pauses. */
const maxQueuedChunks = 4;

/** Yields what the engine decodes. Throws what the source throws. The engine is destroyed at the end. */
export async function* runEngine(
  engine: Engine,
  source: EngineInput,
): AsyncGenerator<DecodedChunk, EngineEnd> {
  const run = new EngineRun(engine, source);
  try {
    for (;;) {
      const chunk = await run.take();
      if (chunk === undefined) return await run.end();
      yield chunk;
    }
  } finally {
    await run.stop();
  }
}

class EngineRun {
  readonly #engine: Engine;
  readonly #source: EngineInput;
  readonly #queue: DecodedChunk[] = [];
  /** Where in the output each block's part ends, for blocks whose output has not all been seen. */
  readonly #blockEnds: { readonly output: number; readonly input: number }[] = [];
  readonly #feeding: Promise<void>;
  readonly #start: number;
  #outputBytes = 0;
  #inputBytes = 0;
  #isOver = false;
  #engineError: Error | undefined;
  #sourceError: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #wakeFeeder: (() => void) | undefined;

  constructor(engine: Engine, source: EngineInput) {
    this.#engine = engine;
    this.#source = source;
    this.#start = source.position;
    engine.on('data', (bytes: Buffer) => this.#receive(bytes));
    engine.once('end', () => this.#finish());
    engine.once('error', (error: Error) => {
      this.#engineError = error;
      // A paused stream still holds what it decoded before the error; dropping it would make the result depend on time.
      const held: unknown = engine.read();
      if (Buffer.isBuffer(held)) this.#receive(held);
      this.#finish();
    });
    this.#feeding = this.#feed();
  }

  /** The next chunk, or undefined at the end. */
  async take(): Promise<DecodedChunk | undefined> {
    for (;;) {
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        if (this.#queue.length < maxQueuedChunks && this.#engine.isPaused()) this.#engine.resume();
        return chunk;
      }
      if (this.#isOver) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async end(): Promise<EngineEnd> {
    await this.#feeding;
    if (this.#sourceError !== undefined) throw this.#sourceError.error;
    if (this.#engineError !== undefined) return { kind: 'broken', detail: this.#engineError.message };
    return { kind: 'ended' };
  }

  async stop(): Promise<void> {
    this.#finish();
    this.#engine.destroy();
    await this.#feeding;
  }

  async #feed(): Promise<void> {
    try {
      let block = await this.#source.next();
      while (block !== undefined && !this.#isOver) {
        const written = this.#write(block);
        const following = this.#source.next();
        // Reading ahead may fail while the engine still works; the failure is taken up below.
        following.catch(() => {});
        await written;
        const untaken = this.#inputBytes - this.#engine.bytesWritten;
        const next = await following;
        if (untaken > 0 || this.#isOver) {
          if (next !== undefined) this.#source.unread(next);
          if (this.#engineError === undefined) this.#source.unread(block.subarray(block.length - untaken));
          return;
        }
        block = next;
      }
      if (block !== undefined) this.#source.unread(block);
      else if (!this.#isOver) this.#engine.end();
    } catch (error) {
      this.#sourceError = { error };
      this.#finish();
    }
  }

  /** Resolves once the engine has taken the block, or stopped. */
  #write(block: Buffer): Promise<void> {
    this.#inputBytes += block.length;
    return new Promise((resolve) => {
      this.#wakeFeeder = resolve;
      this.#engine.write(block, () => {
        this.#blockEnds.push({
          output: this.#outputBytes + this.#engine.readableLength,
          input: this.#inputBytes,
        });
        resolve();
      });
    });
  }

  #receive(bytes: Buffer): void {
    this.#outputBytes += bytes.length;
    while ((this.#blockEnds[0]?.output ?? Number.POSITIVE_INFINITY) < this.#outputBytes)
      this.#blockEnds.shift();
    const taken = this.#blockEnds[0]?.input ?? this.#inputBytes;
    this.#queue.push({ bytes, compressedBytes: this.#start + taken });
    if (this.#queue.length >= maxQueuedChunks) this.#engine.pause();
    this.#wake?.();
  }

  #finish(): void {
    this.#isOver = true;
    this.#wake?.();
    this.#wakeFeeder?.();
  }
}
