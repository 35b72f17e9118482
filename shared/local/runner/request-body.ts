/** Bodies of HTTP requests under a limit. */
import type { Readable } from 'node:stream';

/** The body is larger than the host takes. */
export class RequestTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`expected a body of at most ${maxBytes} bytes, found more`);
    this.name = 'RequestTooLarge';
  }
}

/** The whole body. Throws RequestTooLarge past the limit. */
export async function readBody(body: Readable, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of limitBody(maxBytes)(body)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A step of a pipeline that hands the chunks on and throws RequestTooLarge past the limit. */
export function limitBody(maxBytes: number): (body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> {
  return async function* limited(body) {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        throw new RequestTooLarge(maxBytes);
      }
      yield chunk;
    }
  };
}
