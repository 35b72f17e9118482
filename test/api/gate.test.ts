/** The gate and scans on demand: what is asked of the registry, what is enqueued, what is answered. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Digest } from '../../shared/domain/digest.ts';
import { type ImageDocument, imageDocumentKey } from '../../shared/pipeline/state/images.ts';
import { type PlaceDocument, placeDocumentKey } from '../../shared/pipeline/state/places.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import { feedOfRows } from '../pipeline/feed-of-rows.ts';
import { debianAdvisory, npmAdvisory, npmImage } from '../pipeline/sample-images.ts';
import { startWorld, type World } from '../pipeline/world.ts';
import {
  type BuiltImage,
  buildIndex,
  deleteManifest,
  pushImage,
  pushIndex,
} from '../support/image-builder.ts';
import { type ApiWorld, createApiWorld } from './api-world.ts';

const vulnerable = npmImage('lodash', '4.17.15');
const sound = npmImage('lodash', '4.17.21');
const elsewhere = `sha256:${'ee'.repeat(32)}` as Digest;

let world: World;
let api: ApiWorld;
let closed: boolean;

beforeEach(async () => {
  world = await startWorld({
    feed: feedOfRows([
      npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21'),
      debianAdvisory('DSA-test', 'openssl', '3.0.1'),
    ]),
  });
  await syncAdvisories(world.context);
  await world.settle();
  api = createApiWorld(world.context);
  closed = false;
});

afterEach(async () => {
  if (!closed) await world.close();
});

async function closeRegistry(): Promise<void> {
  closed = true;
  await world.close();
}

async function put(image: BuiltImage, tag = 'v1'): Promise<Digest> {
  await pushImage(world.registry.url, 'team/app', tag, image);
  return image.manifest.digest;
}

async function push(image: BuiltImage, tag = 'v1'): Promise<Digest> {
  const digest = await put(image, tag);
  await world.tellPush('team/app', tag, digest);
  await world.settle();
  return digest;
}

function reference(suffix = ':v1'): string {
  return `${world.registry.host}/team/app${suffix}`;
}

function gate(query: Readonly<Record<string, string>> = { reference: reference() }) {
  return api.ask('askGate', { query });
}

function waiting(): readonly object[] {
  return world.memory.queues.peekAll('image-events').map((message) => message.body);
}

describe('GET /api/gate', () => {
  it('tells the decision, its reasons, when it was judged, and the digest', async () => {
    const digest = await push(vulnerable);
    const { status, headers, body } = await gate();
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toMatchObject({
      decision: 'fail',
      digest,
      verdictAt: expect.stringMatching(/^2026-03-0/),
    });
    expect(JSON.stringify(body)).toContain('lodash');
  });

  it('asks the registry where the tag points now, whatever was told before', async () => {
    await push(vulnerable);
    expect((await gate()).body).toMatchObject({ decision: 'fail' });
    await push(sound, 'other');
    await put(sound, 'v1');
    world.clock.advance(10_000);
    expect((await gate()).body).toMatchObject({ decision: 'pass', digest: sound.manifest.digest });
  });

  it('asks the registry once for many questions in the same seconds', async () => {
    await push(vulnerable);
    world.registryRequests.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => gate()));
    expect(world.registryRequests.filter((request) => request.includes('/manifests/v1'))).toHaveLength(1);
  });

  it('takes a digest without asking the registry', async () => {
    const digest = await push(vulnerable);
    world.registryRequests.length = 0;
    expect((await gate({ reference: reference(`@${digest}`) })).body).toMatchObject({ decision: 'fail' });
    expect(world.registryRequests).toEqual([]);
  });

  it('says pending of what it does not know, enqueues it once, and knows it later', async () => {
    const digest = await put(vulnerable);
    for (let question = 0; question < 5; question += 1) {
      expect((await gate()).body).toMatchObject({ decision: 'pending', digest, verdictAt: null });
    }
    expect(waiting()).toMatchObject([{ kind: 'push', repository: 'team/app', tag: 'v1', digest }]);
    await world.settle();
    expect((await gate()).body).toMatchObject({ decision: 'fail', digest });
    expect(waiting()).toEqual([]);
  });

  it('says pending while the registry is silent', async () => {
    await push(vulnerable);
    await closeRegistry();
    world.clock.advance(10_000);
    expect(await gate()).toMatchObject({
      status: 200,
      body: { decision: 'pending', digest: null, reasons: [{ rule: 'registry' }] },
    });
  });

  it('says pending of a tag that is not there, and enqueues nothing', async () => {
    expect((await gate()).body).toMatchObject({ decision: 'pending', digest: null });
    expect(waiting()).toEqual([]);
  });

  it('says pending of an image that was deleted, and has it looked at again', async () => {
    const digest = await push(vulnerable);
    await deleteManifest(world.registry.url, 'team/app', digest);
    await world.tellDelete('team/app', { digest });
    await world.settle();
    expect((await gate({ reference: reference(`@${digest}`) })).body).toMatchObject({ decision: 'pending' });
    expect(waiting()).toHaveLength(1);
  });

  it('says error, and why, of a manifest that nobody can read, and does not enqueue it again and again', async () => {
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const broken = JSON.stringify({ schemaVersion: 2, mediaType: type, config: 1, layers: 'none' });
    const digest = await world.registry.putManifest('team/app', 'v1', Buffer.from(broken), type);
    await world.tellPush('team/app', 'v1', digest);
    await world.settle();
    await world.drainPoison();
    const answer = await gate();
    expect(answer.body).toMatchObject({ decision: 'error', digest });
    expect(waiting()).toEqual([]);
  });

  it('of an index gives the worst of its images, and pending while one is not judged', async () => {
    const arm64 = npmImage('lodash', '4.17.15', { os: 'linux', architecture: 'arm64' });
    const index = buildIndex([sound, arm64]);
    await pushIndex(world.registry.url, 'team/app', 'v1', index);
    await world.tellPush('team/app', 'v1', index.manifest.digest);
    await world.settle();
    expect((await gate()).body).toMatchObject({ decision: 'fail', digest: index.manifest.digest });
  });

  it('of an index says pending while one of its images is not judged', async () => {
    await push(sound);
    const { documents } = world.context.ports;
    const place = { registry: world.registry.host, repository: 'team/app', environment: 'test' };
    const image: ImageDocument = {
      type: 'image',
      kind: 'index',
      digest: elsewhere,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      children: [
        { digest: sound.manifest.digest, platform: null },
        { digest: `sha256:${'dd'.repeat(32)}` as Digest, platform: null },
      ],
    };
    const standing: PlaceDocument = {
      type: 'place',
      place,
      digest: elsewhere,
      kind: 'index',
      state: 'active',
      ended: null,
      proven: true,
      parent: null,
      parentAsOf: null,
      asOf: '2026-03-01T12:00:00.000Z',
      firstSeenAt: '2026-03-01T12:00:00.000Z',
    };
    await documents.create(imageDocumentKey(elsewhere), image);
    await documents.create(placeDocumentKey(place, elsewhere), standing);
    expect((await gate()).body).toMatchObject({ decision: 'pass' });
    const { body } = await gate({ reference: reference(`@${elsewhere}`) });
    expect(body).toMatchObject({ decision: 'pending', digest: elsewhere });
    expect(waiting()).toEqual([]);
  });

  it.each([
    [400, { reference: '' }],
    [400, { reference: 'no-registry/app' }],
    [400, { reference: '127.0.0.1:5000/UPPER:v1' }],
    [422, { reference: 'evil.example.com/app:v1' }],
    [422, { reference: '169.254.169.254/latest/meta-data' }],
  ])('is %i for %o, without a call to anybody', async (status, query) => {
    expect((await gate(query)).status).toBe(status);
    expect(world.registryRequests).toEqual([]);
  });

  it('is 400 where the registry belongs to another environment', async () => {
    await push(vulnerable);
    expect((await gate({ reference: reference(), environment: 'test' })).status).toBe(200);
    expect(await gate({ reference: reference(), environment: 'production' })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_INPUT' },
    });
  });
});

describe('POST /api/scans', () => {
  function scan(body: unknown) {
    return api.ask('createScan', { body });
  }

  it('resolves the tag, enqueues the image and answers with the digest’s URL', async () => {
    const digest = await put(vulnerable);
    const { status, headers, body } = await scan({ reference: reference() });
    expect(status).toBe(202);
    expect(headers['location']).toBe(`/api/images/${digest}`);
    expect(body).toEqual({ digest, url: `/api/images/${digest}` });
    expect(waiting()).toMatchObject([
      { kind: 'push', repository: 'team/app', tag: 'v1', digest, attempt: 0 },
    ]);
    await world.settle();
    expect((await api.ask('getImage', { params: { digest } })).body).toMatchObject({ decision: 'fail' });
  });

  it('takes a digest that the registry has', async () => {
    const digest = await put(vulnerable);
    expect((await scan({ reference: reference(`@${digest}`) })).status).toBe(202);
    expect((await scan({ reference: reference(`@${elsewhere}`) })).status).toBe(404);
  });

  it('is 404 for a tag that is not there and 502 where the registry does not answer', async () => {
    expect(await scan({ reference: reference(':none') })).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
    await closeRegistry();
    expect((await scan({ reference: reference() })).status).toBe(502);
    expect(waiting()).toEqual([]);
  });

  it.each<[number, unknown]>([
    [400, ''],
    [400, '{"reference"'],
    [400, '[]'],
    [400, {}],
    [400, { reference: 7 }],
    [400, { reference: '127.0.0.1:5000/app:v1', extra: 1 }],
    [400, '{"reference":"127.0.0.1:5000/app:v1","__proto__":{"admin":true}}'],
    [400, { reference: 'app' }],
    [400, { reference: 'x'.repeat(2_000) }],
    [413, { reference: 'x'.repeat(70_000) }],
    [422, { reference: 'evil.example.com/app:v1' }],
  ])('is %i for %o', async (status, body) => {
    const response = await scan(body);
    expect(response.status).toBe(status);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.body).toMatchObject({ status, type: 'about:blank', detail: expect.any(String) });
  });
});
