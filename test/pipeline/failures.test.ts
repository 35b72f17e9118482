import { afterEach, describe, expect, it } from 'vitest';
import { driveDelivery } from '../../shared/pipeline/deliver.ts';
import { subscriptionKey } from '../../shared/pipeline/state/config.ts';
import { handleMessage } from '../../shared/pipeline/steps.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import { pushImage } from '../support/image-builder.ts';
import { feedOfRows } from './feed-of-rows.ts';
import { deliveries, historyOf, verdictOf, verdicts } from './reading.ts';
import { npmAdvisory, npmImage } from './sample-images.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

let world: World;

async function start(options: WorldOptions = {}): Promise<World> {
  world = await startWorld({
    feed: feedOfRows([npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21')]),
    ...options,
  });
  await syncAdvisories(world.context);
  await world.settle();
  return world;
}

async function push(repository = 'team/app', version = '4.17.15'): Promise<string> {
  const image = npmImage('lodash', version);
  await pushImage(world.registry.url, repository, 'v1', image);
  await world.tellPush(repository, 'v1', image.manifest.digest);
  return image.manifest.digest;
}

afterEach(async () => {
  await world.close();
});

describe('a registry that does not answer', () => {
  it('delays a push and loses nothing', async () => {
    await start();
    const digest = await push();
    world.registry.addFault({ kind: 'status', status: 503, path: '/v2/team/app', times: 5 });
    await world.settle();
    expect(verdictOf(world.memory, digest).judged?.decision).toBe('fail');
    expect(historyOf(world.memory, digest)).toHaveLength(1);
  });

  it('for a day ends as the verdict error with its cause, which a later push replaces', async () => {
    await start();
    const digest = await push();
    world.registry.addFault({ kind: 'status', status: 503, path: '/v2/team/app', times: 10_000 });
    await world.settle({ withinMs: 30 * 60 * 60 * 1_000 });
    await world.drainPoison();
    const failed = verdictOf(world.memory, digest);
    expect(failed.judged).toBeNull();
    expect(failed.error?.step).toBe('image-events');
    expect(failed.error?.cause).toMatch(/REGISTRY_UNREACHABLE/);
  });

  it('refuses for good: the cause is shown at once and the last good verdict stays', async () => {
    await start();
    const digest = await push();
    await world.settle();
    const good = verdictOf(world.memory, digest);
    world.clock.advance(60_000);
    world.registry.addFault({ kind: 'status', status: 403, path: '/v2/team/app', times: 20 });
    await world.tellPush('team/app', 'v1', digest);
    await world.settle();
    await world.drainPoison();
    const failed = verdictOf(world.memory, digest);
    expect(failed.judged).toEqual(good.judged);
    expect(failed.error?.cause).toMatch(/FORBIDDEN/);
  });
});

describe('a poison message', () => {
  it('whose work was done meanwhile records nothing', async () => {
    await start();
    const digest = await push();
    await world.settle();
    const before = verdictOf(world.memory, digest);
    await world.context.ports.queues.send('judge-jobs-poison', {
      asOf: '2026-03-01T12:00:00.000Z',
      attempt: 0,
      firstEnqueuedAt: '2026-03-01T11:00:00.000Z',
      place: before.place,
      imageDigest: digest,
      judgeCause: { kind: 'push' },
    });
    await world.drainPoison();
    expect(verdictOf(world.memory, digest)).toEqual(before);
  });

  it('that cannot be read goes to poison at once and is kept with its queue', async () => {
    await start();
    await handleMessage(world.context, 'layer-jobs', { nonsense: true }, 1);
    await world.drainPoison();
    const kept = world.memory.documents
      .dump('places')
      .filter((document) => document.value.type === 'ignored');
    expect(kept.map((document) => document.value['detail'])).toEqual([expect.stringContaining('layer-jobs')]);
  });
});

describe('a layer that ends its readers', () => {
  it('goes to poison after three takeovers and shows as an error', async () => {
    await start();
    const digest = await push();
    const message = await layerMessage();
    // Readers that die: each leaves a claim behind that nobody renews.
    for (let death = 0; death < 4; death += 1) {
      const dying = world.instance({
        layerSlots: { run: () => new Promise(() => {}) },
      });
      void handleMessage(dying, 'layer-jobs', message, 1);
      await claimed();
      world.clock.advance(11 * 60_000);
    }
    await handleMessage(world.context, 'layer-jobs', message, 1);
    await world.drainPoison();
    expect(verdictOf(world.memory, digest).error?.cause).toMatch(/ended its process/);
  });
});

describe('a delivery', () => {
  it('that is not taken is tried again with the same id and body until it is', async () => {
    let answers = 0;
    await start({
      answer: () => {
        answers += 1;
        return { status: answers < 3 ? 500 : 200 };
      },
    });
    await world.subscribe();
    await push();
    await world.settle();
    expect(world.received).toHaveLength(3);
    expect(new Set(world.received.map((request) => request.headers['webhook-id'])).size).toBe(1);
    expect(new Set(world.received.map((request) => request.body)).size).toBe(1);
    expect(new Set(world.received.map((request) => request.headers['webhook-signature'])).size).toBe(3);
    expect(deliveries(world.memory).map((delivery) => delivery.status)).toEqual(['delivered']);
  });

  it('that nobody takes has failed after the last try, harms nobody else, and can be driven again', async () => {
    let isUp = false;
    await start({ answer: (request) => ({ status: request.url.includes('down') && !isUp ? 500 : 200 }) });
    const down = await world.subscribe({ url: 'https://down.example/hook' });
    await world.subscribe({ url: 'https://up.example/hook' });
    await push();
    await world.settle({ withinMs: 5 * 24 * 60 * 60 * 1_000 });
    const failed = deliveries(world.memory).find((delivery) => delivery.subscriptionId === down.id);
    expect(failed?.status).toBe('failed');
    expect(world.received.filter((request) => request.url.includes('up.example'))).toHaveLength(1);
    expect(world.received.filter((request) => request.url.includes('down.example'))).toHaveLength(10);
    isUp = true;
    expect(await driveDelivery(world.context, down.id, failed?.deliveryId ?? '')).toBe(true);
    await world.settle();
    expect(deliveries(world.memory).find((delivery) => delivery.subscriptionId === down.id)?.status).toBe(
      'delivered',
    );
  });

  it('of a deleted subscription is cancelled', async () => {
    await start({ answer: () => ({ status: 500 }) });
    const subscription = await world.subscribe();
    await push();
    await world.settle({ withinMs: 1_000 });
    await world.context.ports.documents.remove(subscriptionKey(subscription.id));
    await world.settle();
    expect(deliveries(world.memory).map((delivery) => delivery.status)).toEqual(['cancelled']);
  });

  it('of which nothing is known any more ends, although its message came late', async () => {
    await start();
    const subscription = await world.subscribe();
    const now = world.clock.now().toISOString();
    const envelope = { asOf: now, attempt: 0, firstEnqueuedAt: now };
    await world.context.ports.queues.send('deliveries', {
      ...envelope,
      kind: 'send',
      subscriptionId: subscription.id,
      deliveryId: 'msg_expired',
      tryNumber: 3,
    });
    await world.settle({ withinMs: 0 });
    expect(world.memory.queues.peekAll()).toEqual([]);
    expect(world.received).toEqual([]);
  });

  it('to a receiver that wants no more ends at once', async () => {
    await start({ answer: () => ({ status: 410 }) });
    await world.subscribe();
    await push();
    await world.settle();
    expect(world.received).toHaveLength(1);
    expect(deliveries(world.memory).map((delivery) => delivery.status)).toEqual(['failed']);
  });
});

describe('any order of messages', () => {
  const orders = ['fifo', 'reverse', ...[1, 2, 3, 4, 5].map((shuffleSeed) => ({ shuffleSeed }))] as const;

  it.each(orders)(
    '%j, with two instances that see each other late, gives the same outcome',
    async (order) => {
      await start({ order, staleMs: 1_500 });
      await world.subscribe();
      // Made long enough ago for every instance to see it.
      world.clock.advance(2_000);
      const digests: string[] = [];
      for (const [repository, version] of [
        ['team/app', '4.17.15'],
        ['team/app', '4.17.16'],
        ['team/other', '4.17.15'],
      ] as const) {
        digests.push(await push(repository, version));
        await world.tellPush(repository, 'v1', digests.at(-1));
      }
      await world.settle({ instances: [world.instance(), world.instance()] });
      expect(world.memory.queues.peekAll()).toEqual([]);
      expect(
        verdicts(world.memory)
          .map((verdict) => [verdict.place.repository, verdict.digest])
          .sort(),
      ).toEqual(
        [
          ['team/app', digests[0]],
          ['team/app', digests[1]],
          ['team/other', digests[2]],
        ].sort(),
      );
      for (const verdict of verdicts(world.memory)) {
        expect(verdict.judged?.decision).toBe('fail');
        expect(verdict.told).toBe(verdict.judged?.inputsHash);
      }
      const ids = world.received.map((request) => request.headers['webhook-id']);
      expect(new Set(ids).size).toBe(3);
    },
  );
});

async function layerMessage(): Promise<object> {
  for (;;) {
    const [event] = await world.memory.queues.receive('image-events', { max: 1 });
    if (event === undefined) break;
    await handleMessage(world.context, 'image-events', event.body, 1);
    await world.memory.queues.remove(event);
  }
  const messages = await world.memory.queues.receive('layer-jobs', { max: 10 });
  for (const message of messages) await world.memory.queues.remove(message);
  return messages[0]?.body as object;
}

/** Resolves once a claim that has not expired stands there. */
async function claimed(): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const claims = world.memory.documents
      .dump('layers')
      .filter((document) => document.value.type === 'claim');
    const now = world.clock.now().toISOString();
    if (claims.some((claim) => String(claim.value['expiresAt']) > now)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('nobody claimed the layer');
}
