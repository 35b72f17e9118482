/** Asynchronous map with a bounded number of calls at a time. */

/** The results in the order of the items; at most `maxInFlight` calls run at once. The first failure rejects, and no
 *  further call is started. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  maxInFlight: number,
  call: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const entries = items.entries();
  let failed = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) {
      if (failed) return;
      try {
        results[index] = await call(item, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxInFlight, items.length) }, work));
  return results;
}
