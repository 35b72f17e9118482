/** Transfers of blobs that break, stall, lie or are redirected, over real HTTP. */
import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { maxResumes } from '../../shared/image/registry-blob-stream.ts';
import { at, clientOf, closeAll, codeOf, read, repository, start } from '../support/registry-and-client.ts';
import { pushBlob, sampleBytes } from '../support/registry-push.ts';

afterEach(closeAll);

test('a broken transfer goes on where it broke', async () => {
  const { registry, seen } = await start();
  const layer = sampleBytes(2_000_000);
  const digest = await pushBlob({ url: registry.url, repository }, layer);
  seen.length = 0;
  registry.addFault({ kind: 'break', afterBytes: 700_000, path: '/blobs/' });
  registry.addFault({ kind: 'break', afterBytes: 500_000, path: '/blobs/' });
  expect((await read(clientOf(), registry, digest)).equals(layer)).toBe(true);
  expect(seen).toHaveLength(3);
  expect(seen[0]?.headers.range).toBeUndefined();
  expect(seen[1]?.headers.range).toMatch(/^bytes=\d+-$/);
});

test('a registry that ignores the range sends all again and we take the rest', async () => {
  const { registry } = await start();
  const layer = sampleBytes(1_000_000);
  const digest = await pushBlob({ url: registry.url, repository }, layer);
  registry.addFault({ kind: 'break', afterBytes: 400_000, path: '/blobs/' });
  registry.addFault({ kind: 'ignore-range', path: '/blobs/' });
  expect((await read(clientOf(), registry, digest)).equals(layer)).toBe(true);
});

test('a transfer that stalls is broken off and goes on', async () => {
  const { registry } = await start();
  const layer = sampleBytes(500_000);
  const digest = await pushBlob({ url: registry.url, repository }, layer);
  registry.addFault({ kind: 'stall', afterBytes: 100_000, path: '/blobs/' });
  expect((await read(clientOf({ idleTimeoutMs: 100 }), registry, digest)).equals(layer)).toBe(true);
});

test('a reader that pauses is no stalled transfer', async () => {
  const { registry, seen } = await start();
  const digest = await pushBlob({ url: registry.url, repository }, Buffer.alloc(20_000_000, 'plimsoll'));
  seen.length = 0;
  // So long that a busy machine does not stall the rest of the transfer.
  const idleTimeoutMs = 3_000;
  const blob = await clientOf({ idleTimeoutMs }).openBlob(at(registry), digest);
  const hash = createHash('sha256');
  let isFirst = true;
  for await (const chunk of blob?.bytes ?? []) {
    hash.update(chunk);
    // Time itself is what is tested here.
    if (isFirst) await new Promise((resolve) => setTimeout(resolve, idleTimeoutMs + 500));
    isFirst = false;
  }
  expect(`sha256:${hash.digest('hex')}`).toBe(digest);
  expect(seen).toHaveLength(1);
});

test('a transfer that never gets further is given up as retryable', async () => {
  const { registry, seen } = await start();
  const digest = await pushBlob({ url: registry.url, repository }, sampleBytes(100_000));
  seen.length = 0;
  registry.addFault({ kind: 'break', afterBytes: 0, path: '/blobs/', times: 100 });
  await expect(read(clientOf(), registry, digest)).rejects.toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
    retryable: true,
  });
  expect(seen.length).toBeLessThanOrEqual(10);
});

test('a registry that gives a byte at a time does not keep us for ever', async () => {
  const { registry, seen } = await start();
  const digest = await pushBlob({ url: registry.url, repository }, sampleBytes(100_000));
  seen.length = 0;
  registry.addFault({ kind: 'break', afterBytes: 1, path: '/blobs/', times: 10_000 });
  await expect(read(clientOf(), registry, digest)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  expect(seen.length).toBeLessThanOrEqual(maxResumes + 1);
});

test.each([
  ['another range', { 'content-range': 'bytes 0-99999/100000' }],
  ['no range', {}],
])('an answer with %s to a resumed transfer is refused', async (_name, headers) => {
  const { registry } = await start();
  const digest = await pushBlob({ url: registry.url, repository }, sampleBytes(100_000));
  registry.addFault({ kind: 'break', afterBytes: 50_000, path: '/blobs/' });
  registry.addFault({
    kind: 'status',
    status: 206,
    headers: { ...headers, 'content-length': '3' },
    body: 'abc',
    path: '/blobs/',
  });
  const reading = read(clientOf(), registry, digest);
  await expect(reading).rejects.toMatchObject({ code: 'REGISTRY_REFUSED' });
  await expect(reading).rejects.toThrow(/go on from byte/);
});

test('more bytes than were announced are not read', async () => {
  const { registry } = await start();
  const digest = await pushBlob({ url: registry.url, repository }, sampleBytes(100_000));
  registry.addFault({ kind: 'break', afterBytes: 50_000, path: '/blobs/' });
  registry.addFault({ kind: 'status', status: 200, body: 'x'.repeat(200_000), path: '/blobs/' });
  expect(await codeOf(read(clientOf(), registry, digest))).toBe('REGISTRY_REFUSED');
});

test('an aborted signal ends the transfer with its reason', async () => {
  const { registry } = await start();
  const digest = await pushBlob({ url: registry.url, repository }, sampleBytes(5_000_000));
  const stop = new AbortController();
  const blob = await clientOf().openBlob(at(registry), digest, stop.signal);
  const reading = (async () => {
    for await (const _chunk of blob?.bytes ?? []) stop.abort(new Error('enough'));
  })();
  await expect(reading).rejects.toThrow('enough');
});

test('a blob is pulled through a redirect, and the other host gets no credentials', async () => {
  const { registry } = await start({ auth: { kind: 'basic', user: 'ann', password: 'pass' } });
  const storage = await start();
  const layer = sampleBytes(1_000_000);
  const authorization = `Basic ${Buffer.from('ann:pass').toString('base64')}`;
  const digest = await pushBlob({ url: registry.url, repository, authorization }, layer);
  await pushBlob({ url: storage.registry.url, repository }, layer);
  storage.seen.length = 0;
  const client = clientOf({ credentials: async () => ({ kind: 'basic', user: 'ann', password: 'pass' }) });
  expect(await client.hasBlob(at(registry), digest)).toBe(true);
  registry.addFault({ kind: 'redirect', to: storage.registry.url, method: 'GET', path: '/blobs/', times: 2 });
  storage.registry.addFault({ kind: 'break', afterBytes: 300_000 });
  expect((await read(client, registry, digest)).equals(layer)).toBe(true);
  // The link is asked for again after the break, for it may have run out meanwhile.
  expect(storage.seen).toHaveLength(2);
  for (const request of storage.seen) {
    expect(request.headers.authorization).toBeUndefined();
    expect(request.headers.cookie).toBeUndefined();
    expect(request.path).toContain('signature=');
  }
  expect(storage.seen[1]?.headers.range).toMatch(/^bytes=\d+-$/);
});
