/** How long to wait before trying again. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryTimings {
  /** Tries in all, the first one included. */
  readonly attempts: number;
  /** Wait before the second try; it doubles with each further one. */
  readonly baseDelayMs: number;
  /** Longest wait, also of one that the other side asks for. */
  readonly maxDelayMs: number;
}

/** Wait after the given failed try (1 for the first): exponential, between half and the whole of it by chance, so that
 *  many workers do not come back in step. */
export function backoffMs(failedTries: number, timings: RetryTimings, random: () => number): number {
  const full = Math.min(timings.maxDelayMs, timings.baseDelayMs * 2 ** Math.min(failedTries - 1, 30));
  return Math.round(full * (0.5 + random() / 2));
}

/** Milliseconds of a `Retry-After` header: seconds or an HTTP date (RFC 9110, 10.2.3). Undefined where it is neither;
 *  at most a day, for the value comes from outside. */
export function parseRetryAfterMs(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const waitMs = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), maxRetryAfterMs);
}

const maxRetryAfterMs = 24 * 60 * 60 * 1000;

/** Resolves after the time. Rejects with the signal's reason where it is aborted first. */
export async function waitMs(durationMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(durationMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw error;
  }
}
