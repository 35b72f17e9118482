/** A clock that a test moves. */
import type { Clock } from '../../shared/ports/clock.ts';

export interface ManualClock extends Clock {
  advance(ms: number): void;
}

/** A clock that stands at the given moment until it is moved. */
export function createManualClock(start = '2026-03-01T12:00:00.000Z'): ManualClock {
  let nowMs = Date.parse(start);
  return {
    now: () => new Date(nowMs),
    advance(ms) {
      nowMs += ms;
    },
  };
}
