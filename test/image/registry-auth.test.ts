/** How the client signs in, against the local registry's own token services. */
import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import type { RegistryCredentials } from '../../shared/image/registry-auth.ts';
import type { RegistryClient } from '../../shared/image/registry-client.ts';
import type { RegistryEndpoint } from '../../shared/image/registry-endpoints.ts';
import type { OciRegistryOptions } from '../../shared/local/oci-registry.ts';
import {
  at,
  clientOf,
  closeAll,
  closeLater,
  codeOf,
  repository,
  start,
} from '../support/registry-and-client.ts';
import { sampleBytes } from '../support/registry-push.ts';

const index = Buffer.from('{"schemaVersion":2,"manifests":[]}');
const indexType = 'application/vnd.oci.image.index.v1+json';

afterEach(closeAll);

async function startWithAuth(auth: OciRegistryOptions['auth']): ReturnType<typeof start> {
  const started = await start(auth === undefined ? {} : { auth });
  await started.registry.putManifest(repository, 'v1', index, indexType);
  return started;
}

function clientWith(
  credentials: RegistryCredentials,
  more: { now?: () => Date; registries?: readonly RegistryEndpoint[] } = {},
): RegistryClient {
  return clientOf({ credentials: async () => credentials, ...more });
}

/** A server that notes what reaches it. */
async function startTrap(): Promise<{ url: string; seen: { headers: object; url: string }[] }> {
  const seen: { headers: object; url: string }[] = [];
  const server: Server = createServer((request, response) => {
    seen.push({ headers: request.headers, url: request.url ?? '' });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"token":"from-the-trap"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeLater({ close: () => new Promise<void>((resolve) => server.close(() => resolve())) });
  const bound = server.address();
  return { url: `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`, seen };
}

const ann = { kind: 'basic', user: 'ann', password: 'pa:ss' } as const;

test('Basic is sent after the challenge, and from then on at once', async () => {
  const { registry, seen } = await startWithAuth(ann);
  const client = clientWith(ann);
  expect(await client.resolveTag(at(registry), 'v1')).toBeDefined();
  expect(await client.resolveTag(at(registry), 'v1')).toBeDefined();
  expect(seen.map((request) => request.headers.authorization !== undefined)).toEqual([false, true, true]);
});

test('a wrong password is final', async () => {
  const { registry, seen } = await startWithAuth(ann);
  const client = clientWith({ ...ann, password: 'wrong' });
  expect(await codeOf(client.resolveTag(at(registry), 'v1'))).toBe('UNAUTHORIZED');
  expect(seen).toHaveLength(2);
});

test("a token is fetched with the challenge's service and scope, and used until it ends", async () => {
  const { registry, seen } = await startWithAuth({ ...ann, kind: 'bearer' });
  const client = clientWith(ann);
  await client.resolveTag(at(registry), 'v1');
  await client.resolveTag(at(registry), 'v1');
  const asked = seen.map((request) => `${request.method} ${request.path}`);
  const manifest = `HEAD /v2/${repository}/manifests/v1`;
  expect(asked).toEqual([
    manifest,
    `GET /token?service=local-registry&scope=${encodeURIComponent(`repository:${repository}:pull`)}`,
    manifest,
    manifest,
  ]);
  expect(seen[1]?.headers.authorization).toMatch(/^Basic /);
  expect(seen[2]?.headers.authorization).toMatch(/^Bearer /);
});

test('a public image is pulled with a token for anybody', async () => {
  const { registry, seen } = await startWithAuth({ kind: 'bearer' });
  expect(await clientWith({ kind: 'anonymous' }).resolveTag(at(registry), 'v1')).toBeDefined();
  expect(seen[1]?.headers.authorization).toBeUndefined();
});

test('one token serves requests that come at once', async () => {
  const { registry, seen } = await startWithAuth({ kind: 'bearer' });
  const client = clientWith({ kind: 'anonymous' });
  await Promise.all(Array.from({ length: 10 }, () => client.resolveTag(at(registry), 'v1')));
  expect(seen.filter((request) => request.path.startsWith('/token'))).toHaveLength(1);
});

test('a token that is about to end is renewed before it is used', async () => {
  const { registry, seen } = await startWithAuth({ kind: 'bearer', tokenSeconds: 60 });
  let now = new Date('2026-09-15T10:00:00Z');
  const client = clientWith({ kind: 'anonymous' }, { now: () => now });
  await client.resolveTag(at(registry), 'v1');
  now = new Date('2026-09-15T10:00:55Z');
  await client.resolveTag(at(registry), 'v1');
  expect(seen.filter((request) => request.path.startsWith('/token'))).toHaveLength(2);
});

test('a token that was revoked is renewed once; a second refusal is final', async () => {
  const { registry, seen } = await startWithAuth({ kind: 'bearer' });
  const client = clientWith({ kind: 'anonymous' });
  await client.resolveTag(at(registry), 'v1');
  registry.revokeTokens();
  expect(await client.resolveTag(at(registry), 'v1')).toBeDefined();
  const challenge = `Bearer realm="${registry.url}/token",service="local-registry",scope="repository:${repository}:pull"`;
  registry.addFault({
    kind: 'status',
    status: 401,
    headers: { 'www-authenticate': challenge },
    path: '/v2/',
    times: 9,
  });
  seen.length = 0;
  expect(await codeOf(client.resolveTag(at(registry), 'v1'))).toBe('UNAUTHORIZED');
  expect(seen.filter((request) => request.path.startsWith('/v2/'))).toHaveLength(2);
});

test('a token that ends in the middle of a layer is renewed and the layer goes on', async () => {
  const { registry } = await startWithAuth({ kind: 'bearer' });
  const layer = sampleBytes(1_000_000);
  const token = await fetch(`${registry.url}/token?scope=repository:${repository}:pull,push`);
  const { token: pushToken } = (await token.json()) as { token: string };
  const headers = { authorization: `Bearer ${pushToken}` };
  const digest = digestOf(layer);
  const stored = await fetch(`${registry.url}/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    headers,
    body: Uint8Array.from(layer),
  });
  expect(stored.status).toBe(201);
  const client = clientWith({ kind: 'anonymous' });
  registry.addFault({ kind: 'break', afterBytes: 400_000, method: 'GET', path: '/blobs/' });
  registry.addFault({
    kind: 'status',
    status: 401,
    headers: {
      'www-authenticate': `Bearer realm="${registry.url}/token",scope="repository:${repository}:pull"`,
    },
    method: 'GET',
    path: '/blobs/',
  });
  // The first fault meets the request after the challenge, so the challenge has to come first.
  await client.resolveTag(at(registry), 'v1');
  const blob = await client.openBlob(at(registry), digest);
  registry.revokeTokens();
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob?.bytes ?? []) chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(layer)).toBe(true);
});

test('more scope is asked for where the registry says that it is missing', async () => {
  const { registry } = await startWithAuth({ kind: 'bearer' });
  const client = clientWith({ kind: 'anonymous' });
  await client.resolveTag(at(registry), 'v1');
  registry.addFault({
    kind: 'status',
    status: 403,
    headers: {
      'www-authenticate': `Bearer realm="${registry.url}/token",scope="repository:${repository}:pull",error="insufficient_scope"`,
    },
  });
  expect(await client.resolveTag(at(registry), 'v1')).toBeDefined();
});

test('an Entra token is exchanged as ACR wants it, and the refresh token serves other repositories', async () => {
  const { registry, seen } = await startWithAuth({ kind: 'acr', entraToken: 'entra-token' });
  await registry.putManifest('team/other', 'v1', index, indexType);
  let asked = 0;
  const token = async (): Promise<string> => {
    asked++;
    return 'entra-token';
  };
  const client = clientWith({ kind: 'entra', token, tenantId: 'tenant' });
  await client.resolveTag(at(registry), 'v1');
  await client.resolveTag({ registry: registry.host, repository: 'team/other' }, 'v1');
  const paths = seen.filter((request) => request.method === 'POST').map((request) => request.path);
  expect(paths).toEqual(['/oauth2/exchange', '/oauth2/token', '/oauth2/token']);
  expect(asked).toBe(1);
});

test('a refresh token that was revoked is exchanged again', async () => {
  const { registry } = await startWithAuth({ kind: 'acr', entraToken: 'entra-token' });
  const client = clientWith({ kind: 'entra', token: async () => 'entra-token' });
  await client.resolveTag(at(registry), 'v1');
  registry.revokeTokens();
  expect(await client.resolveTag(at(registry), 'v1')).toBeDefined();
});

test('a wrong Entra token is final', async () => {
  const { registry } = await startWithAuth({ kind: 'acr', entraToken: 'entra-token' });
  const client = clientWith({ kind: 'entra', token: async () => 'another' });
  expect(await codeOf(client.resolveTag(at(registry), 'v1'))).toBe('UNAUTHORIZED');
});

test('a refresh token of the Docker configuration is exchanged for a token', async () => {
  const { registry } = await startWithAuth({ ...ann, kind: 'bearer' });
  const client = clientWith({ kind: 'refresh-token', refreshToken: ann.password });
  expect(await client.resolveTag(at(registry), 'v1')).toBeDefined();
});

test.each([
  ['http://registry.example.com/token', 'INSECURE_TRANSPORT'],
  ['https://evil.example.com/token', 'REGISTRY_REFUSED'],
  ['https://user:pw@127.0.0.1/token', 'REGISTRY_REFUSED'],
  ['nonsense', 'REGISTRY_REFUSED'],
])('credentials are not sent to the realm %s', async (realm, code) => {
  const { registry, seen } = await startWithAuth({ ...ann, kind: 'bearer', realm });
  expect(await codeOf(clientWith(ann).resolveTag(at(registry), 'v1'))).toBe(code);
  expect(seen).toHaveLength(1);
});

test('no Authorization follows a redirect of a manifest to another host', async () => {
  const { registry } = await startWithAuth({ ...ann, kind: 'bearer' });
  const trap = await startTrap();
  const client = clientWith(ann);
  await client.resolveTag(at(registry), 'v1');
  registry.addFault({ kind: 'redirect', to: trap.url, path: '/manifests/' });
  await codeOf(client.resolveTag(at(registry), 'v1'));
  expect(trap.seen).toHaveLength(1);
  expect(trap.seen[0]?.headers).not.toHaveProperty('authorization');
});

test('a redirect of the token service is not followed', async () => {
  const { registry } = await startWithAuth({ ...ann, kind: 'bearer' });
  const trap = await startTrap();
  registry.addFault({ kind: 'redirect', to: trap.url, path: '/token' });
  expect(await codeOf(clientWith(ann).resolveTag(at(registry), 'v1'))).toBe('REGISTRY_REFUSED');
  expect(trap.seen).toEqual([]);
});

test.each([
  ['{"token":"a\\r\\nX-Evil: 1"}', 'REGISTRY_REFUSED'],
  ['{"token":5}', 'REGISTRY_REFUSED'],
  ['{}', 'UNAUTHORIZED'],
  ['nothing', 'REGISTRY_REFUSED'],
])('the token answer %s is no token', async (body, code) => {
  const { registry } = await startWithAuth({ kind: 'bearer' });
  registry.addFault({ kind: 'status', status: 200, body, path: '/token' });
  expect(await codeOf(clientWith({ kind: 'anonymous' }).resolveTag(at(registry), 'v1'))).toBe(code);
});

test('no error holds a password or a token', async () => {
  const { registry } = await startWithAuth({ ...ann, kind: 'bearer' });
  const client = clientWith({ ...ann, password: 'very-secret' });
  await expect(client.resolveTag(at(registry), 'v1')).rejects.not.toThrow(/very-secret/);
});
