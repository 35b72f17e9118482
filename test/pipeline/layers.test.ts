import { afterEach, describe, expect, it } from 'vitest';
import { catalogers } from '../../shared/catalogers/registry.ts';
import { startRescan } from '../../shared/pipeline/rescan.ts';
import { layerDocumentKey } from '../../shared/pipeline/state/layers.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import { pushImage } from '../support/image-builder.ts';
import { feedOfRows } from './feed-of-rows.ts';
import { handleAll } from './handle-all.ts';
import { historyOf, verdictOf } from './reading.ts';
import { baseLayer, npmAdvisory, npmImage } from './sample-images.ts';
import { startWorld, type World } from './world.ts';

const lodashAdvisory = npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21');
const newerCatalogers = catalogers.map((cataloger) => ({
  ...cataloger,
  version: cataloger.version + 1,
  wants: (path: string) => cataloger.wants(path),
  catalog: (files: Parameters<typeof cataloger.catalog>[0]) => cataloger.catalog(files),
}));

let world: World;

async function start(): Promise<void> {
  world = await startWorld({ feed: feedOfRows([lodashAdvisory]) });
  await syncAdvisories(world.context);
  await world.settle();
}

async function push(repository: string, image: ReturnType<typeof npmImage>): Promise<string> {
  await pushImage(world.registry.url, repository, 'v1', image);
  await world.tellPush(repository, 'v1', image.manifest.digest);
  return image.manifest.digest;
}

afterEach(async () => {
  await world.close();
});

describe('an image with a layer that older analyzers read', () => {
  it('is judged by that reading although it can never be read again', async () => {
    await start();
    await push('team/first', npmImage('minimist', '0.0.8'));
    await world.settle();
    world.registry.addFault({
      kind: 'status',
      status: 403,
      method: 'GET',
      path: baseLayer.digest,
      times: 1_000,
    });
    const newer = world.instance({ catalogers: newerCatalogers });
    const digest = await push('team/second', npmImage('lodash', '4.17.15'));
    await world.settle({ instances: [newer] });
    await world.drainPoison();
    const verdict = verdictOf(world.memory, digest);
    expect(verdict.judged?.summary.packages).toBe(3);
    expect(verdict.judged?.summary.coverageComplete).toBe(false);
    expect(verdict.error).toBeNull();
  });

  it('is rescanned although a crash kept the layer document from being written', async () => {
    await start();
    const digest = await push('team/app', npmImage('lodash', '4.17.15'));
    await world.settle();
    await world.context.ports.documents.remove(layerDocumentKey(baseLayer.digest));
    world.registry.addFault({ kind: 'status', status: 403, method: 'GET', path: '/blobs/', times: 1_000 });
    const newer = world.instance({
      catalogers: newerCatalogers,
      advisoryFeed: feedOfRows([lodashAdvisory, npmAdvisory('GHSA-test-second', 'lodash', '4.17.20')]),
    });
    await syncAdvisories(newer);
    await world.settle({ instances: [newer] });
    expect(historyOf(world.memory, digest)).toHaveLength(2);
  });

  it('is judged once more, when the last of its layers was read again', async () => {
    await start();
    const digest = await push('team/app', npmImage('lodash', '4.17.15'));
    await world.settle();
    const before = world.memory.queues.sent('judge-jobs');
    const newer = world.instance({ catalogers: newerCatalogers });
    await startRescan(newer, 'daily');
    await world.settle({ instances: [newer] });
    expect(world.memory.queues.sent('judge-jobs')).toBe(before + 1);
    expect(historyOf(world.memory, digest)).toHaveLength(2);
  });
});

describe('an image whose layers are read by two versions of the analyzers', () => {
  it('is judged when the last one ends', async () => {
    await start();
    const digest = await push('team/app', npmImage('lodash', '4.17.15'));
    await handleAll(world, 'image-events', world.context);
    const newer = world.instance({ catalogers: newerCatalogers });
    expect(await handleAll(world, 'layer-jobs', world.context, newer)).toBe(2);
    expect(world.memory.queues.peekAll('judge-jobs')).toHaveLength(1);
    await world.settle({ instances: [newer] });
    expect(verdictOf(world.memory, digest).judged?.summary.packages).toBe(3);
  });
});
