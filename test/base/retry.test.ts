/** Waits between tries. */
import { expect, test } from 'vitest';
import { backoffMs, parseRetryAfterMs, waitMs } from '../../shared/base/retry.ts';

const timings = { attempts: 5, baseDelayMs: 100, maxDelayMs: 1_000 };

test.each([
  [1, 0, 50],
  [1, 1, 100],
  [2, 1, 200],
  [4, 1, 800],
  [5, 1, 1_000],
  [1_000, 1, 1_000],
])('after try %i with chance %i the wait is %i ms', (tries, chance, expected) => {
  expect(backoffMs(tries, timings, () => chance)).toBe(expected);
});

// RFC 9110, 10.2.3: seconds or an HTTP date.
test.each([
  [undefined, undefined],
  ['120', 120_000],
  [' 3 ', 3_000],
  ['0', 0],
  ['Tue, 15 Sep 2026 10:00:30 GMT', 30_000],
  ['Tue, 15 Sep 2026 09:00:00 GMT', 0],
  ['999999999', 86_400_000],
  ['soon', undefined],
  ['-5', 0],
])('Retry-After %s is %s ms', (value, expected) => {
  expect(parseRetryAfterMs(value, new Date('2026-09-15T10:00:00Z'))).toBe(expected);
});

test('a wait ends with the reason of its signal', async () => {
  const stop = new AbortController();
  const waiting = waitMs(60_000, stop.signal);
  stop.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
});
