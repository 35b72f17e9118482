import { afterEach, describe, expect, it } from 'vitest';
import type { CoverageIssue } from '../../shared/domain/coverage.ts';
import { type TagDocument, tagKey } from '../../shared/pipeline/state/places.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import {
  buildImage,
  buildIndex,
  buildLayer,
  deleteManifest,
  pushImage,
  pushIndex,
} from '../support/image-builder.ts';
import { feedOfRows } from './feed-of-rows.ts';
import { changesTold, historyOf, toldBy, verdictOf, verdicts } from './reading.ts';
import { baseLayer, npmAdvisory, npmImage, npmLayer } from './sample-images.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

const lodashAdvisory = npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21');
const minimistAdvisory = npmAdvisory('GHSA-test-minimist', 'minimist', '1.2.6', 'critical');

let world: World;

async function start(options: WorldOptions = {}): Promise<World> {
  world = await startWorld({ feed: feedOfRows([lodashAdvisory, minimistAdvisory]), ...options });
  await syncAdvisories(world.context);
  await world.settle();
  return world;
}

afterEach(async () => {
  await world.close();
});

describe('a push', () => {
  it('becomes a verdict, and the subscriber hears of the findings once', async () => {
    await start();
    await world.subscribe();
    const image = npmImage('lodash', '4.17.15');
    await pushImage(world.registry.url, 'team/app', 'v1', image);
    await world.tellPush('team/app', 'v1', image.manifest.digest);
    await world.settle();
    const verdict = verdictOf(world.memory, image.manifest.digest);
    expect(verdict.judged?.decision).toBe('fail');
    expect(verdict.judged?.summary.packages).toBe(3);
    expect(verdict.outbox).toEqual([]);
    expect(world.received).toHaveLength(1);
    const told = changesTold(world.received);
    expect(told.filter((line) => line.startsWith('finding.new'))).toEqual([
      'finding.new GHSA-test-lodash (high) in pkg:npm/lodash@4.17.15',
    ]);
    expect(told).toContain('decision verdict: fail');
  });

  it('of the same digest again writes nothing and tells nothing', async () => {
    await start();
    await world.subscribe();
    const image = npmImage('lodash', '4.17.15');
    await pushImage(world.registry.url, 'team/app', 'v1', image);
    await world.tellPush('team/app', 'v1', image.manifest.digest);
    await world.settle();
    const before = verdictOf(world.memory, image.manifest.digest);
    world.clock.advance(3_600_000);
    await world.tellPush('team/app', 'v1', image.manifest.digest);
    await world.settle();
    expect(verdictOf(world.memory, image.manifest.digest)).toEqual(before);
    expect(historyOf(world.memory, image.manifest.digest)).toHaveLength(1);
    expect(world.received).toHaveLength(1);
  });

  it('of a second image on the same base reads only its own layers', async () => {
    await start();
    const first = npmImage('lodash', '4.17.15');
    await pushImage(world.registry.url, 'team/app', 'v1', first);
    await world.tellPush('team/app', 'v1', first.manifest.digest);
    await world.settle();
    const second = npmImage('minimist', '0.0.8');
    await pushImage(world.registry.url, 'team/other', 'v1', second);
    world.registryRequests.length = 0;
    await world.tellPush('team/other', 'v1', second.manifest.digest);
    await world.settle();
    const layers = second.layers.map((layer) => layer.digest);
    const reads = world.registryRequests.filter(
      (request) => request.startsWith('GET') && layers.some((layer) => request.includes(layer)),
    );
    expect(reads).toEqual([`GET /v2/team/other/blobs/${second.layers[1]?.digest}`]);
    expect(verdicts(world.memory)).toHaveLength(2);
  });

  it('tells what is new against the image that the tag pointed to before', async () => {
    await start();
    await world.subscribe();
    const first = npmImage('lodash', '4.17.15');
    const second = buildImage([baseLayer, npmLayer('lodash', '4.17.15'), npmLayer('minimist', '0.0.8')]);
    for (const image of [first, second]) {
      await pushImage(world.registry.url, 'team/app', 'v1', image);
      await world.tellPush('team/app', 'v1', image.manifest.digest);
      await world.settle();
    }
    expect(world.received).toHaveLength(2);
    expect(changesTold(world.received.slice(1))).toEqual([
      'finding.new GHSA-test-minimist (critical) in pkg:npm/minimist@0.0.8',
    ]);
  });

  it('that moves a tag back to an image judged before is told too, against the image it leaves', async () => {
    await start();
    await world.subscribe();
    const first = npmImage('lodash', '4.17.15');
    const second = npmImage('minimist', '0.0.8');
    for (const image of [first, second, first]) {
      await pushImage(world.registry.url, 'team/app', 'v1', image);
      await world.tellPush('team/app', 'v1', image.manifest.digest);
      await world.settle();
    }
    expect(world.received).toHaveLength(3);
    expect(changesTold(world.received.slice(2))).toEqual([
      'finding.gone GHSA-test-minimist (critical) in pkg:npm/minimist@0.0.8',
      'finding.new GHSA-test-lodash (high) in pkg:npm/lodash@4.17.15',
    ]);
    expect(toldBy(world.received[2] as never).images[0]?.tag).toBe('v1');
  });

  it('of an index announces each platform under the tag of the index', async () => {
    await start();
    await world.subscribe();
    const index = buildIndex([
      npmImage('lodash', '4.17.15'),
      npmImage('lodash', '4.17.15', { os: 'linux', architecture: 'arm64' }),
    ]);
    await pushIndex(world.registry.url, 'team/app', 'v1', index);
    // A registry announces the children first and without a tag.
    for (const image of index.images) await world.tellPush('team/app', undefined, image.manifest.digest);
    await world.settle({ withinMs: 60_000 });
    expect(verdicts(world.memory)).toHaveLength(2);
    expect(world.received).toHaveLength(0);
    await world.tellPush('team/app', 'v1', index.manifest.digest);
    await world.settle({ withinMs: 60_000 });
    expect(world.received.map((request) => toldBy(request).images[0]?.tag)).toEqual(['v1', 'v1']);
    await world.settle();
    expect(world.received).toHaveLength(2);
  });

  it('of an index of indexes has every image judged, and goes into each index once', async () => {
    await start();
    const inner = buildIndex([npmImage('lodash', '4.17.15')]);
    await pushIndex(world.registry.url, 'team/app', 'inner', inner);
    const type = inner.manifest.mediaType;
    const outer = (annotation: string) => {
      const { digest, bytes } = inner.manifest;
      const manifests = [{ mediaType: type, digest, size: bytes.byteLength }];
      return Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType: type, manifests, annotations: { annotation } }),
      );
    };
    const first = await world.registry.putManifest('team/app', 'v1', outer('1'), type);
    await world.tellPush('team/app', 'v1', first);
    await world.settle();
    expect(verdicts(world.memory)).toHaveLength(1);
    const before = world.memory.queues.sent('image-events');
    const second = await world.registry.putManifest('team/app', 'v2', outer('2'), type);
    await world.tellPush('team/app', 'v2', second);
    await world.settle();
    expect(world.memory.queues.sent('image-events')).toBe(before + 1);
  });

  it('without a tag is told after ten minutes all the same', async () => {
    await start();
    await world.subscribe();
    const image = npmImage('lodash', '4.17.15');
    await pushImage(world.registry.url, 'team/app', undefined, image);
    await world.tellPush('team/app', undefined, image.manifest.digest);
    await world.settle({ withinMs: 9 * 60_000 });
    expect(world.received).toHaveLength(0);
    await world.settle({ withinMs: 11 * 60_000 });
    expect(world.received).toHaveLength(1);
    expect(toldBy(world.received[0] as never).images[0]?.tag).toBeNull();
  });

  it('with a layer whose bytes are not what the manifest says fails for its coverage, not for others', async () => {
    await start();
    const image = npmImage('lodash', '4.17.15');
    await pushImage(world.registry.url, 'team/app', 'v1', image);
    world.registry.addFault({ kind: 'wrong-bytes', method: 'GET', path: image.layers[0]?.digest ?? '' });
    await world.tellPush('team/app', 'v1', image.manifest.digest);
    await world.settle();
    const verdict = verdictOf(world.memory, image.manifest.digest);
    expect(verdict.judged?.decision).toBe('fail');
    expect(verdict.judged?.summary.coverageComplete).toBe(false);
    const issues = await coverageOf(image.manifest.digest);
    expect(issues.map((issue) => issue.code)).toContain('LAYER_DIGEST_MISMATCH');
    const other = npmImage('minimist', '0.0.8');
    await pushImage(world.registry.url, 'team/other', 'v1', other);
    await world.tellPush('team/other', 'v1', other.manifest.digest);
    await world.settle();
    expect((await coverageOf(other.manifest.digest)).map((issue) => issue.code)).not.toContain(
      'LAYER_DIGEST_MISMATCH',
    );
  });

  it('of something that is no image is recorded and not scanned', async () => {
    await start();
    const image = npmImage('lodash', '4.17.15');
    const artifact = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        artifactType: 'application/vnd.cncf.helm.config.v1+json',
        config: {
          mediaType: 'application/vnd.cncf.helm.config.v1+json',
          digest: image.config.digest,
          size: 1,
        },
        layers: [],
      }),
    );
    const digest = await world.registry.putManifest(
      'team/chart',
      'v1',
      artifact,
      'application/vnd.oci.image.manifest.v1+json',
    );
    await world.tellPush('team/chart', 'v1', digest);
    await world.settle();
    expect(verdicts(world.memory)).toEqual([]);
    expect(world.memory.queues.peekAll()).toEqual([]);
  });
});

describe('a delete', () => {
  it('that the registry denies ends nothing; a confirmed one ends the place; a push opens it again', async () => {
    await start();
    await world.subscribe();
    const image = npmImage('lodash', '4.17.15');
    const { digest } = image.manifest;
    await pushImage(world.registry.url, 'team/app', 'v1', image);
    await world.tellPush('team/app', 'v1', digest);
    await world.settle();
    await world.tellDelete('team/app', { digest });
    await world.settle();
    expect(verdictOf(world.memory, digest).ended).toBeNull();
    await deleteManifest(world.registry.url, 'team/app', digest);
    await world.tellDelete('team/app', { digest });
    await world.settle();
    expect(verdictOf(world.memory, digest).ended?.reason).toBe('deleted');
    const tag = await world.context.ports.documents.read<TagDocument>(
      tagKey(verdictOf(world.memory, digest).place, 'v1'),
    );
    expect(tag?.value.digest).toBeNull();
    await pushImage(world.registry.url, 'team/app', 'v1', image);
    await world.tellPush('team/app', 'v1', digest);
    await world.settle();
    expect(verdictOf(world.memory, digest).ended).toBeNull();
    expect(historyOf(world.memory, digest)).toHaveLength(1);
    expect(world.received).toHaveLength(1);
  });

  it('of an image that vanished before it was read ends as gone, not as error', async () => {
    await start();
    const image = buildImage([baseLayer, buildLayer([{ path: 'etc/motd', content: 'hello' }])]);
    await pushImage(world.registry.url, 'team/app', 'v1', image);
    await world.tellPush('team/app', 'v1', image.manifest.digest);
    await world.settle({ withinMs: 0 });
    const gone = npmImage('lodash', '4.17.15');
    await world.tellPush('team/app', undefined, gone.manifest.digest);
    await world.settle();
    expect(verdicts(world.memory).map((verdict) => verdict.digest)).toEqual([image.manifest.digest]);
    expect(world.memory.queues.peekAll()).toEqual([]);
  });
});

async function coverageOf(digest: string): Promise<readonly CoverageIssue[]> {
  const { loadReport } = await import('../../shared/pipeline/reports.ts');
  const verdict = verdictOf(world.memory, digest);
  const ref = { digest: verdict.digest, inputsHash: verdict.judged?.inputsHash ?? '' };
  return (await loadReport(world.context.ports.blobs, verdict.place, ref)).coverage.issues;
}
