/** Admits as many layers at once as an instance's memory bears. */

export interface LayerSlots {
  /** Waits for a slot, runs the work, frees the slot. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** A semaphore of `count` slots, first come, first served. */
export function createLayerSlots(count: number): LayerSlots {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}
