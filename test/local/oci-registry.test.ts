/** The local registry, as clients of the distribution API use it. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import {
  type OciRegistry,
  type OciRegistryOptions,
  startOciRegistry,
} from '../../shared/local/oci-registry.ts';
import { parseRoute } from '../../shared/local/oci-registry-routes.ts';
import { pushBlob, pushImage, pushManifest, sampleBytes } from '../support/registry-push.ts';

const repository = 'team/app';
const indexType = 'application/vnd.oci.image.index.v1+json';
const emptyIndex = Buffer.from('{"schemaVersion":2,"manifests":[]}');
const open: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(options: OciRegistryOptions = {}): Promise<OciRegistry> {
  const registry = await startOciRegistry(options);
  open.push(() => registry.close());
  return registry;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plimsoll-test-'));
  open.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test.each([
  ['/v2/', { kind: 'base' }],
  ['/v2/_catalog', { kind: 'catalog' }],
  ['/v2/a/tags/list', { kind: 'tags', repository: 'a' }],
  ['/v2/a/b/blobs/uploads/', { kind: 'uploads', repository: 'a/b' }],
  ['/v2/a/blobs/uploads/123', { kind: 'upload', repository: 'a', id: '123' }],
  ['/v2/manifests/blobs/manifests/v1', { kind: 'manifest', repository: 'manifests/blobs', reference: 'v1' }],
  [
    `/v2/a/blobs/sha256:${'a'.repeat(64)}`,
    { kind: 'blob', repository: 'a', digest: `sha256:${'a'.repeat(64)}` },
  ],
  ['/v2/a/blobs/sha256:..%2f', undefined],
  ['/v2/../a/manifests/v1', undefined],
  ['/v2/a/manifests/..', undefined],
  ['/v2/_a/manifests/v1', undefined],
  ['/v2/A/manifests/v1', undefined],
  ['/v2/a/manifests/a/b', undefined],
  ['/', undefined],
])('the path %s is the route %j', (path, expected) => {
  expect(parseRoute(path)).toEqual(expected);
});

test('chunks of an upload are put together and verified', async () => {
  const { url } = await start();
  const bytes = sampleBytes(100_000);
  const opened = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  let location = opened.headers.get('location') ?? '';
  for (const [from, to] of [
    [0, 40_000],
    [40_000, 100_000],
  ] as const) {
    const chunk = await fetch(url + location, {
      method: 'PATCH',
      headers: { 'content-range': `${from}-${to - 1}` },
      body: Uint8Array.from(bytes.subarray(from, to)),
    });
    expect([chunk.status, chunk.headers.get('range')]).toEqual([202, `0-${to - 1}`]);
    location = chunk.headers.get('location') ?? '';
  }
  const digest = digestOf(bytes);
  expect((await fetch(`${url}${location}?digest=${digest}`, { method: 'PUT' })).status).toBe(201);
  const blob = await fetch(`${url}/v2/${repository}/blobs/${digest}`);
  expect(Buffer.from(await blob.arrayBuffer()).equals(bytes)).toBe(true);
});

test('a chunk that does not continue is refused with the place to go on from', async () => {
  const { url } = await start();
  const opened = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = url + (opened.headers.get('location') ?? '');
  await fetch(location, { method: 'PATCH', body: Uint8Array.from(sampleBytes(10)) });
  const chunk = await fetch(location, {
    method: 'PATCH',
    headers: { 'content-range': '20-29' },
    body: Uint8Array.from(sampleBytes(10)),
  });
  expect([chunk.status, chunk.headers.get('range')]).toEqual([416, '0-9']);
});

test('bytes with another digest are not kept', async () => {
  const { url } = await start();
  const wrong = digestOf('something else');
  const stored = await fetch(`${url}/v2/${repository}/blobs/uploads/?digest=${wrong}`, {
    method: 'POST',
    body: 'x',
  });
  expect(stored.status).toBe(400);
  expect((await fetch(`${url}/v2/${repository}/blobs/${wrong}`)).status).toBe(404);
});

test('a blob is mounted from another repository, and only from one that has it', async () => {
  const { url } = await start();
  const digest = await pushBlob({ url, repository: 'base' }, sampleBytes(10));
  const mount = `${url}/v2/${repository}/blobs/uploads/?mount=${digest}&from=`;
  expect((await fetch(`${mount}nowhere`, { method: 'POST' })).status).toBe(202);
  expect((await fetch(`${url}/v2/${repository}/blobs/${digest}`)).status).toBe(404);
  expect((await fetch(`${mount}base`, { method: 'POST' })).status).toBe(201);
  expect((await fetch(`${url}/v2/${repository}/blobs/${digest}`)).status).toBe(200);
});

test.each([
  ['bytes=0-9', 206, 'bytes 0-9/100', 10],
  ['bytes=90-', 206, 'bytes 90-99/100', 10],
  ['bytes=90-500', 206, 'bytes 90-99/100', 10],
  ['bytes=100-', 416, 'bytes */100', 0],
  ['lines=1-2', 200, null, 100],
])('the range %s gives %i', async (range, status, contentRange, length) => {
  const { url } = await start();
  const digest = await pushBlob({ url, repository }, sampleBytes(100));
  const part = await fetch(`${url}/v2/${repository}/blobs/${digest}`, { headers: { range } });
  expect([part.status, part.headers.get('content-range')]).toEqual([status, contentRange]);
  expect((await part.arrayBuffer()).byteLength).toBe(length);
});

test('a manifest is served by tag and digest, with its own type and bytes', async () => {
  const { url } = await start();
  const { digest } = await pushImage({ url, repository }, 'v1', [sampleBytes(10)]);
  for (const reference of ['v1', digest]) {
    const found = await fetch(`${url}/v2/${repository}/manifests/${reference}`);
    expect(found.headers.get('content-type')).toBe('application/vnd.oci.image.manifest.v1+json');
    expect(found.headers.get('docker-content-digest')).toBe(digest);
    expect(digestOf(new Uint8Array(await found.arrayBuffer()))).toBe(digest);
  }
});

test('a manifest whose blobs are missing, or under another digest, is refused', async () => {
  const { url } = await start();
  const missing = { mediaType: 'x', digest: digestOf('missing'), size: 1 };
  for (const body of [{ config: missing }, { layers: [missing] }, { manifests: [missing] }]) {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, ...body }));
    await expect(pushManifest({ url, repository }, 'v1', bytes, indexType)).rejects.toThrow(
      /MANIFEST_BLOB_UNKNOWN/,
    );
  }
  await expect(pushManifest({ url, repository }, digestOf('x'), emptyIndex, indexType)).rejects.toThrow(
    /DIGEST_INVALID/,
  );
  await expect(pushManifest({ url, repository }, 'v1', Buffer.from('no'), indexType)).rejects.toThrow(
    /MANIFEST_INVALID/,
  );
  const large = Buffer.alloc(4 * 1024 * 1024 + 1, ' ');
  await expect(pushManifest({ url, repository }, 'v1', large, indexType)).rejects.toThrow(
    /413|SIZE_INVALID|fetch failed/,
  );
});

test('tags and repositories are listed in pages', async () => {
  const { url } = await start();
  for (const tag of ['c', 'a', 'b']) await pushManifest({ url, repository }, tag, emptyIndex, indexType);
  await pushManifest({ url, repository: 'zoo' }, 'v1', emptyIndex, indexType);
  const first = await fetch(`${url}/v2/${repository}/tags/list?n=2`);
  expect(await first.json()).toEqual({ name: repository, tags: ['a', 'b'] });
  expect(first.headers.get('link')).toBe(`</v2/${repository}/tags/list?last=b&n=2>; rel="next"`);
  const second = await fetch(`${url}/v2/${repository}/tags/list?last=b&n=2`);
  expect(await second.json()).toEqual({ name: repository, tags: ['c'] });
  expect(second.headers.get('link')).toBeNull();
  expect(await (await fetch(`${url}/v2/_catalog`)).json()).toEqual({ repositories: [repository, 'zoo'] });
  expect((await fetch(`${url}/v2/unknown/tags/list`)).status).toBe(404);
});

test('what was pushed is there after a restart, and an unfinished upload is not', async () => {
  const dataDir = await temporaryFolder();
  const before = await startOciRegistry({ dataDir });
  const { digest, layers } = await pushImage({ url: before.url, repository }, 'v1', [sampleBytes(10)]);
  await fetch(`${before.url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  await before.close();
  const { url } = await start({ dataDir });
  expect((await fetch(`${url}/v2/${repository}/manifests/v1`)).headers.get('docker-content-digest')).toBe(
    digest,
  );
  expect((await fetch(`${url}/v2/${repository}/blobs/${layers[0]}`)).status).toBe(200);
  expect(await readdir(join(dataDir, 'uploads'))).toEqual([]);
});

test('a deleted tag leaves the manifest, a deleted manifest takes its tags along', async () => {
  const { url } = await start();
  const digest = await pushManifest({ url, repository }, 'a', emptyIndex, indexType);
  await pushManifest({ url, repository }, 'b', emptyIndex, indexType);
  const remove = async (reference: string) =>
    (await fetch(`${url}/v2/${repository}/manifests/${reference}`, { method: 'DELETE' })).status;
  expect(await remove('a')).toBe(202);
  expect((await fetch(`${url}/v2/${repository}/manifests/${digest}`)).status).toBe(200);
  expect(await remove(digest)).toBe(202);
  expect((await fetch(`${url}/v2/${repository}/manifests/b`)).status).toBe(404);
  expect(await remove(digest)).toBe(404);
});

test('a taken port and a public address are told in one line', async () => {
  const { host } = await start();
  const port = Number(host.split(':')[1]);
  await expect(startOciRegistry({ port })).rejects.toMatchObject({
    code: 'INVALID_SETTING',
    message: expect.stringMatching(/is taken/),
  });
  await expect(startOciRegistry({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'INVALID_SETTING' });
});

test('a client that goes away in the middle of an upload harms nobody', async () => {
  const { url, host } = await start();
  const opened = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = opened.headers.get('location') ?? '';
  const socket = connect(Number(host.split(':')[1]), '127.0.0.1');
  socket.write(`PATCH ${location} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 1000\r\n\r\nabc`);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.destroy();
  expect((await fetch(`${url}/v2/`)).status).toBe(200);
});

test('Basic is asked for and checked', async () => {
  const { url } = await start({ auth: { kind: 'basic', user: 'ann', password: 'pass' } });
  const refused = await fetch(`${url}/v2/`);
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
    401,
    'Basic realm="local registry"',
  ]);
  const authorization = `Basic ${Buffer.from('ann:pass').toString('base64')}`;
  expect((await fetch(`${url}/v2/`, { headers: { authorization } })).status).toBe(200);
});

test('a receiver that is down gets every event later, in order', async () => {
  const told: string[] = [];
  let refusals = 3;
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      if (refusals-- > 0) {
        response.writeHead(503).end();
        return;
      }
      const [event] = (JSON.parse(body) as { events: { action: string; target: { tag?: string } }[] }).events;
      told.push(`${event?.action} ${event?.target.tag}`);
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  open.push(() => new Promise((resolve) => receiver.close(resolve)));
  const bound = receiver.address();
  const url = `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}/`;
  const registry = await start({ notifications: { url, backoffMs: 1 } });
  for (const tag of ['a', 'b', 'c'])
    await pushManifest({ url: registry.url, repository }, tag, emptyIndex, indexType);
  await registry.notified();
  expect(told).toEqual(['push a', 'push b', 'push c']);
});
