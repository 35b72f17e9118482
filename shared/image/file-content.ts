/** Content of wanted files on its way from the archive to the catalogers. */
import type { LayerFile } from '../catalogers/contract.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { TarSink } from './tar-reader.ts';

/** A file whose content is in memory. Any number of catalogers may each get one of their own over the same bytes. */
export class BufferedFile implements LayerFile {
  readonly path: string;
  readonly mode: number;
  readonly #content: Buffer;

  constructor(path: string, mode: number, content: Buffer) {
    this.path = path;
    this.mode = mode;
    this.#content = content;
  }

  get size(): number {
    return this.#content.length;
  }

  async *stream(): AsyncIterable<Uint8Array> {
    if (this.#content.length > 0) yield this.#content;
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    requireSize(this, maxBytes);
    return this.#content;
  }
}

/** A copy to keep. Small buffers share a slab with others; one that is kept would hold all of it. */
export function copyToKeep(content: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(content.length);
  content.copy(copy);
  return copy;
}

/** Collects the content of one entry in one piece, for use at once. */
export class BufferSink implements TarSink {
  readonly #content: Buffer;
  readonly #done: (content: Buffer) => void;
  readonly #failed: (reason: string) => void;
  #filled = 0;

  constructor(size: number, done: (content: Buffer) => void, failed: (reason: string) => void) {
    this.#content = Buffer.allocUnsafe(size);
    this.#done = done;
    this.#failed = failed;
  }

  write(bytes: Buffer): void {
    bytes.copy(this.#content, this.#filled);
    this.#filled += bytes.length;
  }

  end(): void {
    if (this.#filled === this.#content.length) this.#done(this.#content);
    else this.abort('it has fewer bytes than its size says');
  }

  abort(reason: string): void {
    this.#failed(reason);
  }
}

/** A large file that one cataloger reads while it comes: nothing of it is kept but the current chunk's part. */
export class StreamedFile implements LayerFile, TarSink {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  #queue: Buffer[] = [];
  #end: { readonly failure?: string } | undefined;
  #isDiscarded = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(path: string, mode: number, size: number) {
    this.path = path;
    this.mode = mode;
    this.size = size;
  }

  write(bytes: Buffer): void {
    if (this.#isDiscarded) return;
    this.#queue.push(bytes);
    this.#wakeReader?.();
  }

  end(): void {
    this.#end ??= {};
    this.#wakeReader?.();
  }

  abort(reason: string): void {
    this.#end ??= { failure: reason };
    this.#wakeReader?.();
  }

  /** Throws INVALID_INPUT where the archive ends inside the file. */
  async *stream(): AsyncIterable<Uint8Array> {
    for (;;) {
      const bytes = this.#queue.shift();
      if (bytes !== undefined) {
        yield bytes;
      } else if (this.#end !== undefined) {
        const { failure } = this.#end;
        if (failure !== undefined) throw new PlimsollError('INVALID_INPUT', failure);
        return;
      } else {
        this.#wakeWriter?.();
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    requireSize(this, maxBytes);
    const parts: Uint8Array[] = [];
    for await (const part of this.stream()) parts.push(part);
    return Buffer.concat(parts);
  }

  /** The cataloger has ended: what still comes is dropped. */
  discard(): void {
    this.#isDiscarded = true;
    this.#queue = [];
    this.#wakeWriter?.();
  }

  /** Resolves once everything written so far is read, or will not be. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isDiscarded) resolve();
      this.#wakeWriter = resolve;
      this.#wakeReader?.();
    });
  }
}

function requireSize(file: LayerFile, maxBytes: number): void {
  if (file.size <= maxBytes) return;
  throw new PlimsollError(
    'TOO_LARGE',
    `expected at most ${maxBytes} bytes, found ${file.size} in ${file.path}`,
  );
}
