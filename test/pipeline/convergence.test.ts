/** Pushes, moves, deletes and pushes again, told in any order and twice, to instances that see each other late. */
import { afterEach, describe, expect, it } from 'vitest';
import type { PipelineContext } from '../../shared/pipeline/context.ts';
import type { PlaceDocument, TagDocument } from '../../shared/pipeline/state/places.ts';
import { handleMessage, type StepQueue } from '../../shared/pipeline/steps.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import { queueNames } from '../../shared/ports/queue.ts';
import { deleteManifest, pushImage } from '../support/image-builder.ts';
import { feedOfRows } from './feed-of-rows.ts';
import { toldBy, verdicts } from './reading.ts';
import { npmAdvisory, npmImage } from './sample-images.ts';
import { startWorld, type World } from './world.ts';

const staleMs = 1_500;
const images = [npmImage('lodash', '4.17.15'), npmImage('lodash', '4.17.16'), npmImage('minimist', '0.0.8')];
const seeds = Array.from({ length: 12 }, (_, index) => index + 1);

let world: World;

afterEach(async () => {
  await world.close();
});

describe('a history of pushes, moves and deletes', () => {
  it.each(seeds)('ends as the registry stands, whatever comes when (%i)', async (seed) => {
    const random = generator(seed);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    world = await startWorld({
      feed: feedOfRows([npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21')]),
      order: { shuffleSeed: seed },
      staleMs,
    });
    await syncAdvisories(world.context);
    await world.subscribe();
    world.clock.advance(10_000);
    await world.settle();
    const instances = [world.instance(), world.instance(), world.instance()];
    for (let step = 0; step < 14; step += 1) {
      const image = pick(images);
      const { digest } = image.manifest;
      if (random() < 0.7) {
        const tag = pick(['v1', 'v2']);
        await pushImage(world.registry.url, 'team/app', tag, image);
        await world.tellPush('team/app', tag, digest);
        if (random() < 0.3) await world.tellPush('team/app', tag, digest);
      } else if (await stands(digest)) {
        await deleteManifest(world.registry.url, 'team/app', digest);
        await world.tellDelete('team/app', { digest });
      }
      world.clock.advance(Math.floor(random() * 1_000));
      await work(Math.floor(random() * 12), random, instances);
    }
    await world.settle({ instances, withinMs: 60 * 60_000 });
    expect(world.memory.queues.peekAll()).toEqual([]);
    const places = world.memory.documents.dump('places').map((document) => document.value);
    for (const place of places.filter((value) => value.type === 'place') as unknown as PlaceDocument[]) {
      expect([place.digest, place.state]).toEqual([
        place.digest,
        (await stands(place.digest)) ? 'active' : 'ended',
      ]);
    }
    for (const tag of places.filter((value) => value.type === 'tag') as unknown as TagDocument[]) {
      const target = await registryTag(tag.tag);
      expect([tag.tag, tag.digest]).toEqual([tag.tag, target ?? null]);
      if (tag.digest !== null) expect(tag.toldSequence).toBe(tag.sequence);
    }
    for (const verdict of verdicts(world.memory)) {
      expect(verdict.ended !== null).toBe(!(await stands(verdict.digest)));
      expect(verdict.outbox).toEqual([]);
      if (verdict.ended === null) expect(verdict.told).toBe(verdict.judged?.inputsHash);
    }
    const deliveryOf = new Map<string, string>();
    for (const told of world.received.map(toldBy)) {
      for (const change of told.images.flatMap((image) => image.changes)) {
        expect(deliveryOf.get(change.id) ?? told.id).toBe(told.id);
        deliveryOf.set(change.id, told.id);
      }
    }
  });
});

/** Handles so many messages that are visible now, each by any instance. */
async function work(
  count: number,
  random: () => number,
  instances: readonly PipelineContext[],
): Promise<void> {
  for (let handled = 0; handled < count; handled += 1) {
    const queue = queueNames[Math.floor(random() * queueNames.length)] as StepQueue;
    const [message] = await world.memory.queues.receive(queue, { max: 1 });
    if (message === undefined) continue;
    const instance = instances[Math.floor(random() * instances.length)] as PipelineContext;
    await handleMessage(instance, queue, message.body, message.dequeueCount);
    await world.memory.queues.remove(message);
  }
}

async function stands(digest: string): Promise<boolean> {
  return (await fetch(`${world.registry.url}/v2/team/app/manifests/${digest}`, { method: 'HEAD' })).ok;
}

async function registryTag(tag: string): Promise<string | undefined> {
  const answer = await fetch(`${world.registry.url}/v2/team/app/manifests/${tag}`, { method: 'HEAD' });
  return answer.headers.get('docker-content-digest') ?? undefined;
}

/** Numbers from 0 up to 1, the same ones for the same seed (xorshift32). */
function generator(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}
