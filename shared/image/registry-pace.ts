/** Breaks off answers that come too slowly: a registry that sends a byte before each time limit would hold a worker for
 *  ever. Time alone ends nothing, so that a large layer has the time that it takes. */
import type { HttpResponse } from '../base/http.ts';
import { PlimsollError } from '../domain/errors.ts';

export interface Pace {
  /** After so much waiting the bytes are counted, and the count begins anew; the head of an answer must come within it. */
  readonly windowMs: number;
  readonly leastBytes: number;
}

/** 17 kB a second, a hundredth of a slow line. */
export const defaultPace: Pace = { windowMs: 60_000, leastBytes: 1024 * 1024 };

/** The same answer, whose body throws REGISTRY_UNREACHABLE (retryable) where it falls behind the pace. Only waiting for
 *  bytes counts: a reader that takes its time is no slow registry. */
export function paced(response: HttpResponse, name: string, pace: Pace): HttpResponse {
  return { ...response, body: pacedBody(response, name, pace) };
}

async function* pacedBody(response: HttpResponse, name: string, pace: Pace): AsyncGenerator<Uint8Array> {
  const iterator = response.body[Symbol.asyncIterator]();
  let waitedMs = 0;
  let bytes = 0;
  try {
    for (;;) {
      const startedAt = performance.now();
      const next = await iterator.next();
      waitedMs += performance.now() - startedAt;
      if (next.done === true) return;
      bytes += next.value.byteLength;
      if (waitedMs >= pace.windowMs) {
        if (bytes < pace.leastBytes) throw tooSlow(name, bytes, waitedMs);
        waitedMs = 0;
        bytes = 0;
      }
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

function tooSlow(name: string, bytes: number, waitedMs: number): PlimsollError {
  return new PlimsollError(
    'REGISTRY_UNREACHABLE',
    `${name} sent ${bytes} bytes in ${Math.round(waitedMs / 1000)} s, which is too slow to go on; try again later`,
    { retryable: true },
  );
}
