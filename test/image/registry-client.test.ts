/** The registry client against the local registry over real HTTP, with what registries do wrong. */
import { afterEach, expect, test } from 'vitest';
import { digestOf, requireDigest } from '../../shared/domain/digest.ts';
import type { Registries } from '../../shared/ports/registry.ts';
import { at, clientOf, closeAll, codeOf, read, repository, start } from '../support/registry-and-client.ts';
import { pushBlob, pushImage, sampleBytes } from '../support/registry-push.ts';

const unknown = requireDigest(`sha256:${'0'.repeat(64)}`, 'test');

afterEach(closeAll);

test('the client is what the pipeline asks for', () => {
  const port: Registries = clientOf();
  expect(port).toBeDefined();
});

test('a tag is resolved, its manifest and blobs are pulled', async () => {
  const { registry } = await start();
  const layer = sampleBytes(300_000);
  const pushed = await pushImage({ url: registry.url, repository }, 'v1', [layer]);
  const client = clientOf();
  expect(await client.resolveTag(at(registry), 'v1')).toBe(pushed.digest);
  const manifest = await client.manifest(at(registry), pushed.digest);
  expect(digestOf(manifest?.bytes ?? '')).toBe(pushed.digest);
  expect(manifest?.mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
  const config = await client.blob(at(registry), pushed.config, 10_000);
  expect(JSON.parse(Buffer.from(config ?? []).toString())).toMatchObject({ os: 'linux' });
  const opened = await client.openBlob(at(registry), digestOf(layer));
  expect(opened?.sizeBytes).toBe(layer.byteLength);
  expect(await read(client, registry, digestOf(layer))).toEqual(layer);
});

test('what is not there is absent, no error', async () => {
  const { registry } = await start();
  await pushImage({ url: registry.url, repository }, 'v1', []);
  const client = clientOf();
  expect(await client.resolveTag(at(registry), 'v2')).toBeUndefined();
  expect(await client.manifest(at(registry), unknown)).toBeUndefined();
  expect(await client.blob(at(registry), unknown, 10)).toBeUndefined();
  expect(await client.openBlob(at(registry), unknown)).toBeUndefined();
  expect(await client.hasBlob(at(registry), unknown)).toBe(false);
  expect(await client.hasManifest(at(registry), unknown)).toBe(false);
});

test('a blob of another repository is not in this one', async () => {
  const { registry } = await start();
  const digest = await pushBlob({ url: registry.url, repository: 'other/app' }, sampleBytes(10));
  const client = clientOf();
  expect(await client.hasBlob({ registry: registry.host, repository: 'other/app' }, digest)).toBe(true);
  expect(await client.hasBlob(at(registry), digest)).toBe(false);
});

test.each([
  ['missing', ''],
  ['of another algorithm', `sha512:${'a'.repeat(128)}`],
  ['nonsense', 'hello'],
])('where the digest header is %s the manifest itself is hashed', async (_name, value) => {
  const { registry } = await start();
  const { digest } = await pushImage({ url: registry.url, repository }, 'v1', []);
  registry.addFault({ kind: 'headers', headers: { 'docker-content-digest': value }, method: 'HEAD' });
  expect(await clientOf().resolveTag(at(registry), 'v1')).toBe(digest);
});

test('every manifest request accepts all four types', async () => {
  const { registry, seen } = await start();
  await clientOf().resolveTag(at(registry), 'v1');
  expect(seen[0]?.headers.accept?.split(', ').sort()).toEqual([
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
  ]);
  expect(seen[0]?.headers['accept-encoding']).toBe('identity');
});

test('bytes that do not hash to the digest are refused', async () => {
  const { registry } = await start();
  const pushed = await pushImage({ url: registry.url, repository }, 'v1', []);
  const client = clientOf();
  registry.addFault({ kind: 'wrong-bytes', path: '/blobs/' });
  expect(await codeOf(client.blob(at(registry), pushed.config, 10_000))).toBe('DIGEST_MISMATCH');
  const other = await registry.putManifest(
    repository,
    'v2',
    Buffer.from('{"schemaVersion":2,"manifests":[]}'),
    'application/vnd.oci.image.index.v1+json',
  );
  registry.addFault({
    kind: 'redirect',
    to: `${registry.url}/v2/${repository}/manifests/${other}`,
    path: '/manifests/',
  });
  expect(await codeOf(client.manifest(at(registry), pushed.digest))).toBe('DIGEST_MISMATCH');
});

test.each([
  [
    'a content type that differs from the body',
    '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
    'application/vnd.oci.image.manifest.v1+json',
    'INVALID_MANIFEST',
  ],
  [
    'schema 1',
    '{"schemaVersion":1}',
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'more than 4 MiB',
    ' '.repeat(4 * 1024 * 1024 + 1),
    'application/vnd.oci.image.index.v1+json',
    'TOO_LARGE',
  ],
  ['a web page', '<html></html>', 'text/html', 'INVALID_MANIFEST'],
])('a manifest with %s is refused', async (_name, body, mediaType, code) => {
  const { registry } = await start();
  const digest = await registry.putManifest(repository, 'v1', Buffer.from(body), mediaType);
  expect(await codeOf(clientOf().manifest(at(registry), digest))).toBe(code);
});

test('a blob over its limit is not read', async () => {
  const { registry } = await start();
  const digest = await pushBlob({ url: registry.url, repository }, sampleBytes(1_000));
  expect(await codeOf(clientOf().blob(at(registry), digest, 999))).toBe('TOO_LARGE');
  expect(await clientOf().blob(at(registry), digest, 1_000)).toHaveLength(1_000);
});

test.each([
  ['REGISTRY_NOT_CONFIGURED', 'registry.example.com', repository],
  ['REGISTRY_NOT_CONFIGURED', '169.254.169.254', repository],
  ['INVALID_REFERENCE', '127.0.0.1:1', '../../etc'],
  ['INVALID_REFERENCE', '127.0.0.1:1', 'a/blobs/../x'],
  ['REGISTRY_UNREACHABLE', '127.0.0.1:1', repository],
])('%s for %s/%s', async (code, host, name) => {
  expect(await codeOf(clientOf().hasBlob({ registry: host, repository: name }, unknown))).toBe(code);
});

test('loopback registries are called only where that is allowed', async () => {
  const { registry, seen } = await start();
  expect(await codeOf(clientOf({ allowLoopback: false }).resolveTag(at(registry), 'v1'))).toBe(
    'REGISTRY_NOT_CONFIGURED',
  );
  expect(seen).toEqual([]);
});

test('an alias leads to its registry', async () => {
  const { registry } = await start();
  const { digest } = await pushImage({ url: registry.url, repository }, 'v1', []);
  const client = clientOf({
    registries: [{ host: registry.host, aliases: ['hub.internal'], auth: { kind: 'anonymous' } }],
  });
  expect(await client.resolveTag({ registry: 'HUB.internal', repository }, 'v1')).toBe(digest);
});

test.each([429, 500, 503, 504])('%i is tried again and then told as retryable', async (status) => {
  const { registry, seen } = await start();
  const { digest } = await pushImage({ url: registry.url, repository }, 'v1', []);
  const client = clientOf();
  registry.addFault({ kind: 'status', status, times: 2 });
  expect(await client.resolveTag(at(registry), 'v1')).toBe(digest);
  seen.length = 0;
  registry.addFault({ kind: 'status', status, headers: { 'retry-after': '0' }, times: 3 });
  await expect(client.resolveTag(at(registry), 'v1')).rejects.toMatchObject({
    code: status === 429 ? 'REGISTRY_THROTTLED' : 'REGISTRY_UNREACHABLE',
    retryable: true,
    retryAfterMs: 0,
  });
  expect(seen).toHaveLength(3);
});

test('a wait that is longer than we wait is handed on at once', async () => {
  const { registry, seen } = await start();
  registry.addFault({ kind: 'status', status: 429, headers: { 'retry-after': '60' }, times: 3 });
  await expect(clientOf().resolveTag(at(registry), 'v1')).rejects.toMatchObject({
    code: 'REGISTRY_THROTTLED',
    retryAfterMs: 60_000,
  });
  expect(seen).toHaveLength(1);
});

test.each([
  [400, 'REGISTRY_REFUSED'],
  [403, 'FORBIDDEN'],
  [401, 'UNAUTHORIZED'],
  [501, 'REGISTRY_REFUSED'],
])('%i is final and says what the registry said', async (status, code) => {
  const { registry, seen } = await start();
  registry.addFault({
    kind: 'status',
    status,
    body: '{"errors":[{"code":"DENIED","message":"no\\u001b[31m way"}]}',
  });
  const asked = clientOf().manifest(at(registry), unknown);
  await expect(asked).rejects.toMatchObject({ code, retryable: false });
  await expect(asked).rejects.toThrow(/DENIED: no/);
  expect(seen).toHaveLength(1);
});

test('a redirect proves that the repository has the blob, and is not followed', async () => {
  const { registry } = await start();
  const storage = await start();
  registry.addFault({ kind: 'redirect', to: storage.registry.url, method: 'HEAD' });
  expect(await clientOf().hasBlob(at(registry), unknown)).toBe(true);
  expect(storage.seen).toEqual([]);
});

test('a redirect to plain HTTP elsewhere, to no address and in a circle is refused', async () => {
  const { registry } = await start();
  const client = clientOf();
  registry.addFault({ kind: 'redirect', to: 'http://registry.example.com/' });
  expect(await codeOf(client.openBlob(at(registry), unknown))).toBe('INSECURE_TRANSPORT');
  registry.addFault({ kind: 'status', status: 307 });
  expect(await codeOf(client.openBlob(at(registry), unknown))).toBe('REGISTRY_REFUSED');
  registry.addFault({ kind: 'status', status: 307, headers: { location: 'http://' } });
  expect(await codeOf(client.openBlob(at(registry), unknown))).toBe('REGISTRY_REFUSED');
  registry.addFault({ kind: 'redirect', to: registry.url, times: 20 });
  expect(await codeOf(client.openBlob(at(registry), unknown))).toBe('REGISTRY_REFUSED');
});

test('the signature of a redirect stands in no error', async () => {
  const { registry } = await start();
  const storage = await start();
  registry.addFault({ kind: 'redirect', to: storage.registry.url, times: 5 });
  storage.registry.addFault({ kind: 'status', status: 503, times: 5 });
  const asked = clientOf().openBlob(at(registry), unknown);
  await expect(asked).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  await expect(asked).rejects.not.toThrow(/secret-of-the-link/);
});
