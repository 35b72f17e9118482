/** What the API tells of images: lists, places, platforms, reports. Images are pushed and judged for real. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Digest } from '../../shared/domain/digest.ts';
import { type ImageDocument, imageDocumentKey } from '../../shared/pipeline/state/images.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import { feedOfRows } from '../pipeline/feed-of-rows.ts';
import { npmAdvisory, npmImage } from '../pipeline/sample-images.ts';
import { startWorld, type World } from '../pipeline/world.ts';
import {
  type BuiltImage,
  buildIndex,
  deleteManifest,
  pushImage,
  pushIndex,
} from '../support/image-builder.ts';
import { type ApiWorld, createApiWorld } from './api-world.ts';

let world: World;
let api: ApiWorld;

beforeEach(async () => {
  world = await startWorld({ feed: feedOfRows([npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21')]) });
  await syncAdvisories(world.context);
  await world.settle();
  api = createApiWorld(world.context);
});

afterEach(async () => {
  await world.close();
});

async function push(repository: string, tag: string, image: BuiltImage): Promise<Digest> {
  await pushImage(world.registry.url, repository, tag, image);
  await world.tellPush(repository, tag, image.manifest.digest);
  await world.settle();
  return image.manifest.digest;
}

async function pushMultiPlatform(): Promise<ReturnType<typeof buildIndex>> {
  const index = buildIndex([
    npmImage('lodash', '4.17.21'),
    npmImage('lodash', '4.17.15', { os: 'linux', architecture: 'arm64' }),
  ]);
  await pushIndex(world.registry.url, 'team/multi', 'v1', index);
  await world.tellPush('team/multi', 'v1', index.manifest.digest);
  await world.settle();
  return index;
}

function digestN(byte: string): Digest {
  return `sha256:${byte.repeat(32)}` as Digest;
}

describe('GET /api/images/{digest}', () => {
  it('tells the verdict at its place with tags, and the decision', async () => {
    const digest = await push('team/app', 'v1', npmImage('lodash', '4.17.15'));
    const { status, body } = await api.ask('getImage', { params: { digest } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      digest,
      kind: 'image',
      platform: 'linux/amd64',
      decision: 'fail',
      children: null,
      verdicts: [
        {
          place: { registry: world.registry.host, repository: 'team/app', environment: 'test' },
          tags: ['v1'],
          decision: 'fail',
          summary: { packages: 3, findings: { high: 1 } },
          error: null,
          ended: null,
        },
      ],
    });
  });

  it('has a verdict for each place, and the query narrows them', async () => {
    const image = npmImage('lodash', '4.17.15');
    const digest = await push('team/app', 'v1', image);
    await push('team/copy', 'v1', image);
    const all = await api.ask('getImage', { params: { digest } });
    expect(all.body).toMatchObject({ verdicts: { length: 2 } });
    for (const repository of ['team/copy', `${world.registry.host}/team/copy`]) {
      const { body } = await api.ask('getImage', { params: { digest }, query: { repository } });
      expect(body).toMatchObject({ verdicts: [{ place: { repository: 'team/copy' } }] });
    }
  });

  it.each([{ repository: 'team/elsewhere' }, { environment: 'production' }])(
    'is 404 for a place where it does not stand: %o',
    async (query) => {
      const digest = await push('team/app', 'v1', npmImage('lodash', '4.17.15'));
      expect((await api.ask('getImage', { params: { digest }, query })).status).toBe(404);
    },
  );

  it('of an index tells its children and the worst of them', async () => {
    const index = await pushMultiPlatform();
    const { body } = await api.ask('getImage', { params: { digest: index.manifest.digest } });
    expect(body).toMatchObject({
      kind: 'index',
      decision: 'fail',
      verdicts: [],
      children: [
        { digest: index.images[0]?.manifest.digest, platform: 'linux/amd64', verdicts: [{ tags: ['v1'] }] },
        { digest: index.images[1]?.manifest.digest, platform: 'linux/arm64', decision: 'fail' },
      ],
    });
  });

  it('of an index takes a platform, and names those there are for another', async () => {
    const params = { digest: (await pushMultiPlatform()).manifest.digest };
    const amd64 = await api.ask('getImage', { params, query: { platform: 'linux/amd64' } });
    expect(amd64.body).toMatchObject({ children: [{ platform: 'linux/amd64' }] });
    const other = await api.ask('getImage', { params, query: { platform: 'linux/s390x' } });
    expect(other).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('linux/amd64, linux/arm64') },
    });
    expect((await api.ask('getImage', { params, query: { platform: 'amd64' } })).status).toBe(400);
  });

  it('does not let an ended place decide while the image stands elsewhere', async () => {
    const image = npmImage('lodash', '4.17.15');
    const digest = await push('team/app', 'v1', image);
    await push('team/copy', 'v1', image);
    await deleteManifest(world.registry.url, 'team/copy', digest);
    await world.tellDelete('team/copy', { digest });
    await world.settle();
    const { body } = await api.ask('getImage', { params: { digest } });
    expect(body).toMatchObject({ decision: 'fail' });
    expect(JSON.stringify(body)).toContain('"reason":"deleted"');
  });

  it('is 404 for what is not known and 400 for what is no digest', async () => {
    expect((await api.ask('getImage', { params: { digest: digestN('ab') } })).status).toBe(404);
    for (const digest of ['latest', 'sha256:abc', `sha256:${'A'.repeat(64)}`, '../x', '']) {
      expect((await api.ask('getImage', { params: { digest } })).status).toBe(400);
    }
  });

  it('of indexes that multiply in layers answers at once', async () => {
    const { documents } = world.context.ports;
    const levels = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'].map(digestN);
    for (const [level, digest] of levels.entries()) {
      const next = levels[level + 1] ?? digestN('ff');
      const index: ImageDocument = {
        type: 'image',
        kind: 'index',
        digest,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        children: Array.from({ length: 500 }, () => ({ digest: next, platform: null })),
      };
      await documents.create(imageDocumentKey(digest), index);
    }
    const { body } = await api.ask('getImage', { params: { digest: levels[0] ?? '' } });
    expect(body).toMatchObject({ decision: null, children: null });
    const shallow = await api.ask('getImage', { params: { digest: levels[5] ?? '' } });
    expect(shallow.body).toMatchObject({ decision: 'pending', children: [{ digest: digestN('ff') }] });
  });
});

describe('GET /api/images/{digest}/report', () => {
  it('gives the stored report', async () => {
    const digest = await push('team/app', 'v1', npmImage('lodash', '4.17.15'));
    const { status, headers, body } = await api.ask('getReport', { params: { digest } });
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(body).toMatchObject({
      schemaVersion: '1.0',
      target: { digest },
      findings: [{ id: 'GHSA-test-lodash' }],
      verdict: { decision: 'fail' },
    });
  });

  it('of an index needs a platform and names them', async () => {
    const index = await pushMultiPlatform();
    const params = { digest: index.manifest.digest };
    expect(await api.ask('getReport', { params })).toMatchObject({
      status: 409,
      body: { code: 'PLATFORM_REQUIRED', platforms: ['linux/amd64', 'linux/arm64'] },
    });
    const arm64 = await api.ask('getReport', { params, query: { platform: 'linux/arm64' } });
    expect(arm64.body).toMatchObject({ target: { digest: index.images[1]?.manifest.digest } });
    expect((await api.ask('getReport', { params, query: { platform: 'linux/s390x' } })).status).toBe(404);
  });

  it('at several places is 409 and names them, until the query names one', async () => {
    const image = npmImage('lodash', '4.17.15');
    const digest = await push('team/app', 'v1', image);
    await push('team/copy', 'v1', image);
    const params = { digest };
    expect(await api.ask('getReport', { params })).toMatchObject({
      status: 409,
      body: { places: { length: 2 } },
    });
    const query = { repository: `${world.registry.host}/team/copy`, environment: 'test' };
    expect((await api.ask('getReport', { params, query })).status).toBe(200);
  });

  it('is 404 while nothing was judged', async () => {
    const image = npmImage('lodash', '4.17.15');
    const { digest } = image.manifest;
    expect((await api.ask('getReport', { params: { digest } })).status).toBe(404);
    const document: ImageDocument = {
      type: 'image',
      kind: 'image',
      digest,
      mediaType: image.manifest.mediaType,
      platform: image.platform,
      sizeBytes: 1,
      layerCount: 1,
    };
    await world.context.ports.documents.create(imageDocumentKey(digest), document);
    expect((await api.ask('getReport', { params: { digest } })).status).toBe(404);
  });
});

describe('GET /api/images', () => {
  async function walk(
    query: Readonly<Record<string, string>>,
  ): Promise<{ digests: string[]; pages: number }> {
    const digests: string[] = [];
    let cursor: string | undefined;
    for (let pages = 1; pages <= 600; pages += 1) {
      const { status, body } = await api.ask('listImages', {
        query: { ...query, ...(cursor === undefined ? {} : { cursor }) },
      });
      expect(status).toBe(200);
      const page = body as { items: { digest: string }[]; cursor: string | null };
      digests.push(...page.items.map((item) => item.digest));
      if (page.cursor === null) return { digests, pages };
      cursor = page.cursor;
    }
    throw new Error('more than 600 pages');
  }

  it.each([1, 3, 7, 200])('walks all images once, %i at a time', async (limit) => {
    const { documents } = world.context.ports;
    const digests = Array.from({ length: 40 }, (_, index) => {
      const shard = ['00', '01', '7f', 'fe', 'ff'][index % 5] ?? '';
      return `sha256:${shard}${index.toString(16).padStart(62, '0')}` as Digest;
    });
    for (const digest of digests) {
      const image: ImageDocument = {
        type: 'image',
        kind: 'artifact',
        digest,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        artifactType: 'application/sarif+json',
      };
      await documents.create(imageDocumentKey(digest), image);
    }
    const walked = await walk({ limit: String(limit) });
    expect(walked.digests).toEqual([...digests].sort());
    expect(walked.pages).toBeLessThanOrEqual(Math.ceil(40 / limit) + 6);
  });

  it('has the decision and places of each', async () => {
    const digest = await push('team/app', 'v1', npmImage('lodash', '4.17.15'));
    expect((await api.ask('listImages')).body).toMatchObject({
      items: [{ digest, decision: 'fail', verdicts: [{ tags: ['v1'] }] }],
      cursor: null,
    });
  });

  it('of one repository has what stands there', async () => {
    const digest = await push('team/app', 'v1', npmImage('lodash', '4.17.15'));
    await push('team/other', 'v1', npmImage('minimist', '1.2.8'));
    const walked = await walk({ repository: `${world.registry.host}/team/app` });
    expect(walked.digests).toEqual([digest]);
    expect((await walk({ repository: `${world.registry.host}/team/none` })).digests).toEqual([]);
  });

  it.each([
    { limit: '0' },
    { limit: '201' },
    { limit: '-1' },
    { limit: '1e2' },
    { limit: 'x' },
    { cursor: 'x' },
    { cursor: Buffer.from('{"shard":256}').toString('base64url') },
    { cursor: Buffer.from('{"shard":1,"inner":"§"}').toString('base64url') },
    { cursor: 'x'.repeat(5_000) },
    { repository: '' },
  ])('is 400 for %o', async (query) => {
    expect((await api.ask('listImages', { query: query as Record<string, string> })).status).toBe(400);
  });
});
