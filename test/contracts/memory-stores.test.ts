/** What the in-memory ports can do beyond their contracts, because tests of the pipeline rely on it. */
import { describe, expect, it } from 'vitest';
import type { DocumentKey } from '../../shared/ports/documents.ts';
import { createMemoryBlobs } from '../support/memory-blobs.ts';
import { createMemoryDocuments } from '../support/memory-documents.ts';
import { createMemoryQueues } from '../support/memory-queues.ts';

function createTestClock() {
  let nowMs = 1_000_000;
  return {
    now: () => new Date(nowMs),
    advance(durationMs: number) {
      nowMs += durationMs;
    },
  };
}

const key: DocumentKey = { container: 'images', partition: 'p', id: 'x' };

describe('documents in memory', () => {
  function createStore() {
    const clock = createTestClock();
    const store = createMemoryDocuments({ clock, staleMs: 50 });
    return { clock, store, one: store.session(), two: store.session() };
  }

  it('show a create, a replace and a removal to other sessions late', async () => {
    const { clock, one, two } = createStore();
    const etag = (await one.create(key, { type: 'a' })) ?? '';
    expect(await two.read(key)).toBeUndefined();
    clock.advance(49);
    expect(await two.read(key)).toBeUndefined();
    clock.advance(1);
    expect((await two.read(key))?.etag).toBe(etag);
    const second = (await one.replace(key, { type: 'b' }, etag)) ?? '';
    expect((await two.read(key))?.value.type).toBe('a');
    expect((await two.list({ container: 'images', partition: 'p', type: 'b', limit: 5 })).items).toEqual([]);
    clock.advance(50);
    expect((await two.read(key))?.value.type).toBe('b');
    await one.remove(key, second);
    expect(await one.read(key)).toBeUndefined();
    expect((await two.read(key))?.value.type).toBe('b');
    clock.advance(50);
    expect(await two.read(key)).toBeUndefined();
  });

  it('judge conditions by the true state and show it to a session whose condition failed', async () => {
    const { one, two } = createStore();
    const etag = (await one.create(key, { type: 'a' })) ?? '';
    expect(await two.create(key, { type: 'b' })).toBeUndefined();
    expect((await two.read(key))?.etag).toBe(etag);
    const second = await two.replace(key, { type: 'c' }, etag);
    expect(second).toBeDefined();
    expect((await one.read(key))?.value.type).toBe('a');
    expect(await one.replace(key, { type: 'd' }, etag)).toBeUndefined();
    expect((await one.read(key))?.etag).toBe(second);
  });

  it('count operations by container and dump the true state', async () => {
    const { store, one, two } = createStore();
    await one.create(key, { type: 'a' });
    await two.create(key, { type: 'a' });
    await one.read({ ...key, container: 'layers' });
    await one.list({ container: 'images', partition: 'p', type: 'a', limit: 1 });
    expect(store.counts()).toEqual({ reads: 1, writes: 2, queries: 1 });
    expect(store.counts('images')).toEqual({ reads: 0, writes: 2, queries: 1 });
    expect(store.dump()).toEqual([{ ...key, value: { type: 'a' }, etag: expect.any(String) }]);
    store.resetCounts();
    expect(store.counts()).toEqual({ reads: 0, writes: 0, queries: 0 });
  });
});

describe('queues in memory', () => {
  async function receiveAll(
    order: Parameters<typeof createMemoryQueues>[0]['order'] & {},
  ): Promise<unknown[]> {
    const queues = createMemoryQueues({ clock: createTestClock(), order });
    for (let n = 0; n < 20; n += 1) await queues.send('layer-jobs', { n });
    return (await queues.receive('layer-jobs', { max: 20 })).map(({ body }) => Reflect.get(body, 'n'));
  }

  it('give messages in the order that a test asks for, the same one each time', async () => {
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    expect(await receiveAll('fifo')).toEqual(numbers);
    expect(await receiveAll('reverse')).toEqual(numbers.toReversed());
    const shuffled = await receiveAll({ shuffleSeed: 1 });
    expect(shuffled).not.toEqual(numbers);
    expect(shuffled.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers);
    expect(await receiveAll({ shuffleSeed: 1 })).toEqual(shuffled);
    expect(await receiveAll({ shuffleSeed: 2 })).not.toEqual(shuffled);
  });

  it('hide a message while it is held, give it again after, and refuse the first holder then', async () => {
    const clock = createTestClock();
    const queues = createMemoryQueues({ clock });
    await queues.send('layer-jobs', { n: 1 });
    const [first] = await queues.receive('layer-jobs', { visibilityMs: 100 });
    expect(first).toMatchObject({ dequeueCount: 1, body: { n: 1 } });
    expect(await queues.receive('layer-jobs')).toEqual([]);
    expect(queues.nextVisibleAt()).toBe(clock.now().getTime() + 100);
    clock.advance(100);
    const [second] = await queues.receive('layer-jobs', { visibilityMs: 100 });
    expect(second).toMatchObject({ id: first?.id, dequeueCount: 2 });
    if (first === undefined || second === undefined) throw new Error('nothing was received');
    expect(await queues.remove(first)).toBe(false);
    expect(await queues.release(first)).toBe(false);
    expect(await queues.release(second, 10)).toBe(true);
    expect(queues.peekAll()).toEqual([
      {
        queue: 'layer-jobs',
        id: first.id,
        dequeueCount: 2,
        body: { n: 1 },
        visibleAtMs: clock.now().getTime() + 10,
      },
    ]);
    clock.advance(10);
    const [third] = await queues.receive('layer-jobs');
    if (third === undefined) throw new Error('nothing was received');
    expect(await queues.remove(third)).toBe(true);
    expect(queues.nextVisibleAt()).toBeUndefined();
    expect([queues.sent(), queues.sent('layer-jobs'), queues.sent('judge-jobs')]).toEqual([1, 1, 0]);
  });

  it('exchange plain data alone, so that they can live in another process', async () => {
    const queues = createMemoryQueues({ clock: createTestClock() });
    await queues.send('judge-jobs', { n: 1 });
    const received = await queues.receive('judge-jobs');
    expect(structuredClone(received)).toEqual(received);
    const [clone] = structuredClone(received);
    expect(clone !== undefined && (await queues.remove(clone))).toBe(true);
  });
});

describe('blobs in memory', () => {
  it('count what was asked of them', async () => {
    const blobs = createMemoryBlobs();
    await blobs.createOnce('reports', 'b', Uint8Array.of(1));
    await blobs.createOnce('reports', 'a', Uint8Array.of(1));
    await blobs.exists('reports', 'a');
    await blobs.list('reports', '', { limit: 1 });
    expect(blobs.counts()).toEqual({ reads: 1, writes: 2, lists: 1 });
    expect(blobs.names('reports')).toEqual(['a', 'b']);
    blobs.resetCounts();
    expect(blobs.counts()).toEqual({ reads: 0, writes: 0, lists: 0 });
  });
});
