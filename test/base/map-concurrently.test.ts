/** The bounded asynchronous map. */
import { describe, expect, it } from 'vitest';
import { mapConcurrently } from '../../shared/base/map-concurrently.ts';

describe('mapConcurrently', () => {
  it('keeps the order whatever is done first, and never runs more at once than it may', async () => {
    let running = 0;
    let most = 0;
    const results = await mapConcurrently([...Array(50).keys()], 7, async (item, index) => {
      running += 1;
      most = Math.max(most, running);
      for (let turns = item % 5; turns >= 0; turns -= 1) await Promise.resolve();
      running -= 1;
      return `${item}-${index}`;
    });
    expect(results).toEqual([...Array(50).keys()].map((item) => `${item}-${item}`));
    expect(most).toBe(7);
  });

  it('of nothing is nothing', async () => {
    expect(await mapConcurrently([], 4, async (item) => item)).toEqual([]);
  });

  it('rejects with the first failure and starts nothing after it', async () => {
    const started: number[] = [];
    const failing = mapConcurrently([...Array(100).keys()], 3, async (item) => {
      started.push(item);
      if (item === 5) throw new RangeError('five');
      await Promise.resolve();
    });
    await expect(failing).rejects.toThrow('five');
    expect(started.length).toBeLessThan(12);
  });
});
