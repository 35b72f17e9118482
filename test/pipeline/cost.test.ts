import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRescan } from '../../shared/pipeline/rescan.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import { buildImage, buildLayer, pushImage } from '../support/image-builder.ts';
import { feedOfRows } from './feed-of-rows.ts';
import { npmAdvisory } from './sample-images.ts';
import { startWorld, type World } from './world.ts';

/** An image of so many layers. */
function imageOf(layers: number): ReturnType<typeof buildImage> {
  return buildImage(
    Array.from({ length: layers }, (_, index) => buildLayer([{ path: `etc/${index}`, content: `${index}` }])),
  );
}

interface Cost {
  readonly registry: number;
  readonly blobs: number;
  readonly blobWrites: number;
  readonly documents: number;
  readonly documentWrites: number;
  readonly messages: number;
}

let world: World;

beforeEach(async () => {
  world = await startWorld({ feed: feedOfRows([npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21')]) });
  await syncAdvisories(world.context);
  await world.settle();
});

afterEach(async () => {
  await world.close();
});

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const { documents, blobs, queues } = world.memory;
  documents.resetCounts();
  blobs.resetCounts();
  world.registryRequests.length = 0;
  const before = queues.sent();
  await work();
  const counted = documents.counts();
  const blobCounts = blobs.counts();
  return {
    registry: world.registryRequests.length,
    blobs: blobCounts.reads + blobCounts.lists,
    blobWrites: blobCounts.writes,
    documents: counted.reads + counted.queries,
    documentWrites: counted.writes,
    messages: queues.sent() - before,
  };
}

async function pushAgain(image: ReturnType<typeof buildImage>): Promise<Cost> {
  await pushImage(world.registry.url, 'team/app', 'v1', image);
  await world.tellPush('team/app', 'v1', image.manifest.digest);
  await world.settle();
  world.clock.advance(3_600_000);
  return costOf(async () => {
    await world.tellPush('team/app', 'v1', image.manifest.digest);
    await world.settle();
  });
}

describe('a push of an image that is known', () => {
  it.each([1, 2, 12])('with %i layers looks each up once and asks the registry twice', async (layers) => {
    expect(await pushAgain(imageOf(layers))).toEqual({
      // Where the tag points, and the manifest.
      registry: 2,
      // Each layer's inventory; the image's record when planning and when judging.
      blobs: layers + 2,
      blobWrites: 0,
      // Planning: tag (twice) and place (twice). Judging: verdict, place, tag, tags, and the revisions twice.
      documents: 12,
      // The place's moment is raised; one write is refused, to see past the session.
      documentWrites: 2,
      messages: 2,
    });
  });
});

describe('a rescan where nothing changed', () => {
  it('looks up no layer and no record, however many images there are', async () => {
    for (const layers of [1, 2, 3]) await pushAgain(imageOf(layers));
    const cost = await costOf(async () => {
      await startRescan(world.context, 'daily');
      await world.settle();
    });
    expect(cost).toMatchObject({ registry: 0, blobs: 0, blobWrites: 0 });
    // Of the 256 pages each reads revisions, run and verdicts, and writes its bit of the run.
    expect(cost.documents).toBeLessThan(256 * 6);
    expect(cost.documentWrites).toBe(257);
  });
});
