import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Digest } from '../../shared/domain/digest.ts';
import type { PipelineContext } from '../../shared/pipeline/context.ts';
import type { ImageEvent } from '../../shared/pipeline/messages.ts';
import {
  type PlaceDocument,
  placeDocumentKey,
  type TagDocument,
} from '../../shared/pipeline/state/places.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import { buildIndex, deleteManifest, pushImage, pushIndex } from '../support/image-builder.ts';
import { feedOfRows } from './feed-of-rows.ts';
import { handleAll } from './handle-all.ts';
import { historyOf, verdictOf, verdicts } from './reading.ts';
import { npmAdvisory, npmImage } from './sample-images.ts';
import { startWorld, type World } from './world.ts';

/** How late the instances see each other's documents. */
const staleMs = 5_000;

const lodash = npmImage('lodash', '4.17.15');
const minimist = npmImage('minimist', '0.0.8');

let world: World;
let first: PipelineContext;
let second: PipelineContext;

beforeEach(async () => {
  const feed = feedOfRows([npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21')]);
  world = await startWorld({ feed, staleMs });
  await syncAdvisories(world.context);
  await world.subscribe();
  world.clock.advance(staleMs);
  await world.settle();
  first = world.instance();
  second = world.instance();
});

afterEach(async () => {
  await world.close();
});

async function push(image: ReturnType<typeof npmImage>, tag: string | undefined = 'v1'): Promise<Digest> {
  await pushImage(world.registry.url, 'team/app', tag, image);
  await world.tellPush('team/app', tag, image.manifest.digest);
  return image.manifest.digest as Digest;
}

function tagOf(name: string): TagDocument | undefined {
  const found = world.memory.documents.dump('places').find((document) => document.id === `tag.${name}`);
  return found?.value as unknown as TagDocument | undefined;
}

function placeOf(digest: string): PlaceDocument {
  const found = world.memory.documents
    .dump('places')
    .find((document) => document.value.type === 'place' && document.value['digest'] === digest);
  return found?.value as unknown as PlaceDocument;
}

describe('a tag that moves back to an image judged before', () => {
  it('is told by an instance that does not see the move yet', async () => {
    await push(lodash);
    await world.settle({ instances: [first] });
    await push(minimist);
    await world.settle({ instances: [first] });
    world.clock.advance(staleMs);
    await push(lodash);
    await handleAll(world, 'image-events', first);
    await handleAll(world, 'judge-jobs', second);
    await world.settle({ instances: [second], withinMs: 60_000 });
    expect(world.received).toHaveLength(3);
  });

  it('is written down by an instance that does not see that it had moved away', async () => {
    await push(lodash);
    await world.settle({ instances: [first] });
    world.clock.advance(staleMs);
    await push(minimist);
    await handleAll(world, 'image-events', first);
    await push(lodash);
    await handleAll(world, 'image-events', second);
    expect(tagOf('v1')).toMatchObject({ digest: lodash.manifest.digest, sequence: 3 });
  });
});

describe('the images of an index', () => {
  it('are told under its tag by an instance that sees neither index nor tag yet', async () => {
    const index = buildIndex([lodash]);
    await pushIndex(world.registry.url, 'team/app', 'v1', index);
    await world.tellPush('team/app', undefined, lodash.manifest.digest);
    await world.settle({ instances: [second], withinMs: 30_000 });
    await world.tellPush('team/app', 'v1', index.manifest.digest);
    await handleAll(world, 'image-events', first);
    await handleAll(world, 'image-events', first);
    await handleAll(world, 'judge-jobs', second);
    await world.settle({ instances: [second], withinMs: 1_000 });
    expect(world.received).toHaveLength(1);
  });

  it('belong to the newest index, whichever is planned last', async () => {
    const older = buildIndex([lodash]);
    const newer = buildIndex([lodash, minimist]);
    await pushIndex(world.registry.url, 'team/app', 'v1', older);
    await world.tellPush('team/app', 'v1', older.manifest.digest);
    const [message] = await world.memory.queues.receive('image-events', { max: 1 });
    world.clock.advance(1_000);
    await pushIndex(world.registry.url, 'team/app', 'v1', newer);
    await world.tellPush('team/app', 'v1', newer.manifest.digest);
    await world.settle({ instances: [first], withinMs: 60_000 });
    await world.context.ports.queues.send('image-events', message?.body as ImageEvent);
    await world.settle({ instances: [first], withinMs: 60_000 });
    expect(placeOf(lodash.manifest.digest).parent).toBe(newer.manifest.digest);
  });
});

describe('a place that ended', () => {
  async function endedPlace(): Promise<Digest> {
    const digest = await push(lodash);
    await world.settle({ instances: [first] });
    await deleteManifest(world.registry.url, 'team/app', digest);
    await world.tellDelete('team/app', { digest });
    await world.settle({ instances: [first] });
    expect(verdictOf(world.memory, digest).ended?.reason).toBe('deleted');
    return digest;
  }

  it('is opened by a push whose process died between place and verdict', async () => {
    const digest = await endedPlace();
    await push(lodash);
    const { documents } = first.ports;
    const dying = world.instance({
      ports: {
        ...first.ports,
        documents: {
          ...documents,
          replace: async (key, value, etag, options) => {
            if (value.type === 'verdict') throw new RangeError('killed');
            return documents.replace(key, value, etag, options);
          },
        },
      },
    });
    const [message] = await world.memory.queues.receive('image-events', { max: 1 });
    if (message === undefined) throw new Error('no push');
    await world.memory.queues.release(message);
    await expect(handleAll(world, 'image-events', dying)).rejects.toThrow('killed');
    expect(placeOf(digest).state).toBe('active');
    world.clock.advance(600_000);
    await world.settle({ instances: [first] });
    expect(verdictOf(world.memory, digest).ended).toBeNull();
  });

  it('stays as a judge left it that sees it late', async () => {
    const digest = await push(lodash);
    await world.settle({ instances: [second] });
    world.clock.advance(staleMs);
    await deleteManifest(world.registry.url, 'team/app', digest);
    await world.tellDelete('team/app', { digest });
    await handleAll(world, 'image-events', first);
    await world.context.ports.queues.send('judge-jobs', judgeJob(digest));
    await handleAll(world, 'judge-jobs', second);
    expect(verdictOf(world.memory, digest).ended?.reason).toBe('deleted');
  });
});

describe('a delete', () => {
  it('is heeded by an instance that does not see the push yet', async () => {
    const digest = await push(lodash);
    await handleAll(world, 'image-events', first);
    await deleteManifest(world.registry.url, 'team/app', digest);
    await world.tellDelete('team/app', { digest });
    await handleAll(world, 'image-events', second);
    expect(placeOf(digest).state).toBe('ended');
  });

  it('does not end what a push brings back while the registry is asked', async () => {
    const digest = await push(lodash);
    await world.settle({ instances: [first] });
    world.clock.advance(60_000);
    await deleteManifest(world.registry.url, 'team/app', digest);
    await world.tellDelete('team/app', { digest });
    const { registries } = first.ports;
    const slow = world.instance();
    const asked = {
      ...slow,
      ports: {
        ...slow.ports,
        registries: {
          ...registries,
          hasManifest: async (...args: Parameters<typeof registries.hasManifest>) => {
            const answer = await registries.hasManifest(...args);
            if (!answer) {
              await push(lodash);
              await handleAll(world, 'image-events', first);
            }
            return answer;
          },
        },
      },
    };
    await handleAll(world, 'image-events', asked);
    await world.settle({ instances: [first] });
    expect(placeOf(digest).state).toBe('active');
    expect(verdictOf(world.memory, digest).ended).toBeNull();
  });
});

describe('a judge', () => {
  it('takes no image whose layers were not proven to be in the repository', async () => {
    const digest = await push(lodash);
    await world.settle({ instances: [first] });
    const place = { ...verdictOf(world.memory, digest).place, repository: 'stranger/app' };
    const unproven: PlaceDocument = { ...placeOf(digest), place, proven: false };
    await first.ports.documents.create(placeDocumentKey(place, digest), unproven);
    await world.context.ports.queues.send('judge-jobs', { ...judgeJob(digest), place });
    await world.settle({ instances: [first] });
    expect(verdicts(world.memory)).toHaveLength(1);
    expect(historyOf(world.memory, digest)).toHaveLength(1);
  });
});

describe('a push of an image that is gone while its tag stands elsewhere', () => {
  it('has the other image planned once, however often it is looked for', async () => {
    await push(minimist);
    await world.settle({ instances: [first] });
    world.clock.advance(60_000);
    const before = world.memory.queues.sent('judge-jobs');
    await world.tellPush('team/app', 'v1', lodash.manifest.digest);
    await world.settle({ instances: [first], withinMs: 15 * 60_000 });
    expect(world.memory.queues.peekAll()).toEqual([]);
    expect(world.memory.queues.sent('judge-jobs')).toBe(before + 1);
  });
});

function judgeJob(digest: Digest): object {
  const now = world.clock.now().toISOString();
  return {
    asOf: now,
    attempt: 0,
    firstEnqueuedAt: now,
    place: verdictOf(world.memory, digest).place,
    imageDigest: digest,
    judgeCause: { kind: 'push' },
  };
}
