/** A blob as a stream that goes on after a broken transfer. */
import { type HttpResponse, headerOf, isNetworkError } from '../base/http.ts';
import { backoffMs, type RetryTimings, waitMs } from '../base/retry.ts';
import { PlimsollError } from '../domain/errors.ts';

export interface BlobTransfer {
  /** Asks the registry itself, not the address it sent to before: signed links expire. Undefined where the blob is
   *  gone. */
  readonly open: (headers: Readonly<Record<string, string>>) => Promise<HttpResponse | undefined>;
  /** For messages: `blob sha256:… of host/repository`. */
  readonly name: string;
  readonly retry: RetryTimings;
  readonly random: () => number;
  readonly signal: AbortSignal | undefined;
}

/** Most resumes of one blob in all: a server that breaks off after each byte must not keep us for ever. */
export const maxResumes = 100;

/** Compressed size that an answer announces. */
export function announcedSize(response: HttpResponse): number | undefined {
  const text = headerOf(response.headers, 'content-length');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * The bytes of `first` (status 200), then those of further requests with `Range` from where a transfer broke. Ends the
 * transfer when its reader stops. Throws REGISTRY_UNREACHABLE (retryable) after `retry.attempts` breaks without a new
 * byte, REGISTRY_REFUSED where an answer does not fit what came before, and what `open` throws.
 */
export async function* readResumed(first: HttpResponse, transfer: BlobTransfer): AsyncGenerator<Uint8Array> {
  const total = announcedSize(first);
  let delivered = 0;
  let response: HttpResponse = first;
  let toSkip = 0;
  let breaks = 0;
  let progressAt = 0;
  for (let resumes = 0; ; resumes++) {
    try {
      for await (const chunk of response.body) {
        const skipped = Math.min(toSkip, chunk.byteLength);
        toSkip -= skipped;
        const rest = skipped === 0 ? chunk : chunk.subarray(skipped);
        if (rest.byteLength === 0) continue;
        delivered += rest.byteLength;
        if (total !== undefined && delivered > total) throw otherLength(transfer, total, 'more');
        yield rest;
      }
      if (total === undefined || delivered === total) return;
    } catch (error) {
      if (transfer.signal?.aborted || !isNetworkError(error)) throw error;
      breaks = delivered > progressAt ? 1 : breaks + 1;
      progressAt = delivered;
      if (breaks >= transfer.retry.attempts || resumes >= maxResumes)
        throw brokenOff(transfer, delivered, error);
      await waitMs(backoffMs(breaks, transfer.retry, transfer.random), transfer.signal);
      const next = await reopen(transfer, delivered, total);
      response = next.response;
      toSkip = next.toSkip;
      continue;
    }
    throw otherLength(transfer, total, String(delivered));
  }
}

async function reopen(
  transfer: BlobTransfer,
  delivered: number,
  total: number | undefined,
): Promise<{ response: HttpResponse; toSkip: number }> {
  const response = await transfer.open(delivered === 0 ? {} : { range: `bytes=${delivered}-` });
  if (response === undefined) {
    throw new PlimsollError(
      'REGISTRY_REFUSED',
      `${transfer.name} was there when the transfer began and is gone now`,
    );
  }
  if (response.status === 200) {
    const size = announcedSize(response);
    if (total === undefined || size === undefined || size === total) return { response, toSkip: delivered };
    response.discard();
    throw new PlimsollError('REGISTRY_REFUSED', `${transfer.name}: had ${total} bytes, has ${size} now`);
  }
  const range = headerOf(response.headers, 'content-range') ?? '';
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(range);
  const [start, end, size] = [Number(match?.[1]), Number(match?.[2]), match?.[3]];
  const fits =
    response.status === 206 &&
    match !== null &&
    start === delivered &&
    (total === undefined || end === total - 1) &&
    (total === undefined || size === '*' || Number(size) === total);
  if (fits) return { response, toSkip: 0 };
  response.discard();
  throw new PlimsollError(
    'REGISTRY_REFUSED',
    `${transfer.name}: asked to go on from byte ${delivered}, expected status 206 with that Content-Range, found ${response.status} "${range.slice(0, 80)}"`,
  );
}

function otherLength(transfer: BlobTransfer, total: number, found: string): PlimsollError {
  return new PlimsollError(
    'REGISTRY_REFUSED',
    `${transfer.name}: expected ${total} bytes as announced, found ${found}`,
  );
}

function brokenOff(transfer: BlobTransfer, delivered: number, cause: unknown): PlimsollError {
  return new PlimsollError(
    'REGISTRY_UNREACHABLE',
    `${transfer.name}: the transfer broke off again and again after ${delivered} bytes; try again later`,
    { retryable: true, cause },
  );
}
