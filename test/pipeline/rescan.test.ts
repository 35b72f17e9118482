import { afterEach, describe, expect, it } from 'vitest';
import { catalogers } from '../../shared/catalogers/registry.ts';
import { startRescan } from '../../shared/pipeline/rescan.ts';
import { publishPolicy } from '../../shared/pipeline/revisions.ts';
import { sendOldOutboxes } from '../../shared/pipeline/send-outbox.ts';
import { type RunDocument, runKey } from '../../shared/pipeline/state/config.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import { defaultPolicy } from '../../shared/policy/default-policy.ts';
import { pushImage } from '../support/image-builder.ts';
import { feedOfRows } from './feed-of-rows.ts';
import { changesTold, historyOf, toldBy, verdictOf, verdicts } from './reading.ts';
import { debianAdvisory, npmAdvisory, npmImage } from './sample-images.ts';
import { startWorld, type World } from './world.ts';

const lodashAdvisory = npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21');
const minimistAdvisory = npmAdvisory('GHSA-test-minimist', 'minimist', '1.2.6', 'critical');

let world: World;

/** Two images judged by one advisory; the rescan of the first sync is over. */
async function startWithTwoImages(): Promise<{ lodash: string; minimist: string }> {
  world = await startWorld({ feed: feedOfRows([lodashAdvisory]) });
  await syncAdvisories(world.context);
  await world.settle();
  await world.subscribe();
  const lodash = npmImage('lodash', '4.17.15');
  const minimist = npmImage('minimist', '0.0.8');
  await push('team/lodash', lodash);
  await push('team/minimist', minimist);
  world.received.length = 0;
  world.registryRequests.length = 0;
  world.clock.advance(24 * 60 * 60 * 1_000);
  return { lodash: lodash.manifest.digest, minimist: minimist.manifest.digest };
}

async function push(repository: string, image: ReturnType<typeof npmImage>): Promise<void> {
  await pushImage(world.registry.url, repository, 'v1', image);
  await world.tellPush(repository, 'v1', image.manifest.digest);
  await world.settle();
}

/** Syncs a feed of these rows in a fresh instance and lets everything run. */
async function sync(...rows: Parameters<typeof feedOfRows>[0]): Promise<void> {
  const instance = world.instance({ advisoryFeed: feedOfRows(rows) });
  await syncAdvisories(instance);
  await world.settle({ instances: [instance] });
}

afterEach(async () => {
  await world.close();
});

describe('a rescan', () => {
  it('after one advisory was added judges only the images that have the package, reads no layer and tells it once', async () => {
    const { lodash, minimist } = await startWithTwoImages();
    const untouched = verdictOf(world.memory, lodash);
    await sync(lodashAdvisory, minimistAdvisory);
    expect(historyOf(world.memory, minimist)).toHaveLength(2);
    expect(historyOf(world.memory, lodash)).toHaveLength(1);
    expect(verdictOf(world.memory, lodash)).toEqual(untouched);
    expect(world.registryRequests).toEqual([]);
    expect(changesTold(world.received)).toContain(
      'finding.new GHSA-test-minimist (critical) in pkg:npm/minimist@0.0.8',
    );
    expect(world.received).toHaveLength(1);
    await startRescan(world.context, 'again');
    await world.settle();
    expect(world.received).toHaveLength(1);
  });

  it('where nothing changed writes no image', async () => {
    await startWithTwoImages();
    world.memory.documents.resetCounts();
    const before = world.memory.documents.dump('images');
    await startRescan(world.context, 'daily');
    await world.settle();
    expect(world.memory.documents.dump('images')).toEqual(before);
    expect(world.memory.documents.counts('images').writes).toBe(0);
    const run = await world.context.ports.documents.read<RunDocument>(runKey('daily'));
    expect(run?.value.completedAt).not.toBeNull();
    expect(run?.value).toMatchObject({ visited: 2, judged: 0 });
    expect(world.received).toEqual([]);
  });

  it('tells a subscriber of many images in one message', async () => {
    world = await startWorld({ feed: feedOfRows([lodashAdvisory]) });
    await syncAdvisories(world.context);
    await world.settle();
    await world.subscribe();
    const images = Array.from({ length: 12 }, (_, index) => npmImage('minimist', `0.0.${index}`));
    for (const [index, image] of images.entries()) await push(`team/app${index}`, image);
    world.received.length = 0;
    await sync(lodashAdvisory, minimistAdvisory);
    expect(world.received).toHaveLength(1);
    expect(toldBy(world.received[0] as never).images).toHaveLength(12);
    expect(toldBy(world.received[0] as never).images[0]?.cause).toMatchObject({ kind: 'rescan' });
  });

  it('judges images of a distribution whose advisories appear for the first time', async () => {
    const { lodash } = await startWithTwoImages();
    await sync(lodashAdvisory, debianAdvisory('DSA-test', 'nothing-they-have', '1.0'));
    expect(historyOf(world.memory, lodash)).toHaveLength(2);
    expect(changesTold(world.received).some((line) => line.startsWith('coverage.gone'))).toBe(true);
  });

  it('after the policy changed judges every image by it, and tells what that changes', async () => {
    const { lodash, minimist } = await startWithTwoImages();
    const lenient = { ...defaultPolicy, name: 'lenient', rules: [] };
    const { revision } = await publishPolicy(world.context, lenient);
    await startRescan(world.context, 'daily');
    await world.settle();
    for (const digest of [lodash, minimist]) {
      const judged = verdictOf(world.memory, digest).judged;
      expect(judged?.inputs.policy).toMatchObject({ name: 'lenient', revision });
      // Incomplete coverage is never silent, whatever the rules.
      expect(judged?.decision).toBe('warn');
    }
    expect(world.received).toHaveLength(1);
    expect(new Set(changesTold(world.received))).toEqual(new Set(['decision verdict: warn, was fail']));
  });

  it('withdraws a finding whose advisory is gone', async () => {
    const { lodash } = await startWithTwoImages();
    await sync(minimistAdvisory);
    expect(changesTold(world.received)).toContain(
      'finding.gone GHSA-test-lodash (high) in pkg:npm/lodash@4.17.15',
    );
    expect(historyOf(world.memory, lodash)).toHaveLength(2);
  });

  it('goes on after its messages were lost', async () => {
    await startWithTwoImages();
    await startRescan(world.context, 'daily');
    for (const message of await world.memory.queues.receive('rescan-pages', { max: 300 })) {
      await world.memory.queues.remove(message);
    }
    world.clock.advance(2 * 60 * 60 * 1_000);
    await sendOldOutboxes(world.context);
    await world.settle();
    const run = await world.context.ports.documents.read<RunDocument>(runKey('daily'));
    expect(run?.value.completedAt).not.toBeNull();
  });

  it('puts nothing on the queues of pushes', async () => {
    await startWithTwoImages();
    const before = ['image-events', 'layer-jobs', 'judge-jobs'].map((queue) =>
      world.memory.queues.sent(queue as never),
    );
    await sync(lodashAdvisory, minimistAdvisory);
    const after = ['image-events', 'layer-jobs', 'judge-jobs'].map((queue) =>
      world.memory.queues.sent(queue as never),
    );
    expect(after).toEqual(before);
  });

  it('has layers of older analyzers read again in the background', async () => {
    const { lodash } = await startWithTwoImages();
    const newer = catalogers.map((cataloger) => ({
      ...cataloger,
      wants: (path: string) => cataloger.wants(path),
      catalog: (files: Parameters<typeof cataloger.catalog>[0]) => cataloger.catalog(files),
      version: cataloger.version + 1,
    }));
    const instance = world.instance({ catalogers: newer });
    await startRescan(instance, 'daily');
    await world.settle({ instances: [instance] });
    const [first, second] = historyOf(world.memory, lodash);
    expect(historyOf(world.memory, lodash)).toHaveLength(2);
    expect(second?.summary.findings).toEqual(first?.summary.findings);
    expect(world.memory.queues.sent('layer-jobs')).toBe(3);
    expect(verdicts(world.memory).every((verdict) => verdict.outbox.length === 0)).toBe(true);
    expect(world.received).toEqual([]);
  });
});

describe('the timer', () => {
  it('sends what a crash left in an outbox', async () => {
    await startWithTwoImages();
    world.received.length = 0;
    const image = npmImage('lodash', '4.17.16');
    await pushImage(world.registry.url, 'team/app', 'v1', image);
    await world.tellPush('team/app', 'v1', image.manifest.digest);
    // The judge dies after it wrote the verdict, and its message is lost with it.
    const { ports } = world.context;
    const dying = world.instance({
      ports: {
        ...ports,
        queues: {
          ...ports.queues,
          send: async (queue, message, options) => {
            if (queue !== 'deliveries') await ports.queues.send(queue, message, options);
            else throw new RangeError('killed');
          },
        },
      },
    });
    await expect(world.settle({ instances: [dying] })).rejects.toThrow('killed');
    for (const message of await world.memory.queues.receive('judge-jobs', { max: 10 })) {
      await world.memory.queues.remove(message);
    }
    expect(verdictOf(world.memory, image.manifest.digest).outbox).toHaveLength(1);
    world.clock.advance(6 * 60_000);
    await sendOldOutboxes(world.context);
    await world.settle();
    expect(verdictOf(world.memory, image.manifest.digest).outbox).toEqual([]);
    expect(world.received).toHaveLength(1);
  });
});
