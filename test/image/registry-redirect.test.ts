/** Where a registry may send us. */
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { createHttpClient } from '../../shared/base/http.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { checkRedirect, guardedLookup } from '../../shared/image/registry-transport.ts';

const registry = { isLoopback: false, allowsPrivate: false };
const inside = { isLoopback: false, allowsPrivate: true };
const loopback = { isLoopback: true, allowsPrivate: true };

test.each([
  ['a public registry', registry, 'https://cdn.example.com/x', 'fine'],
  ['a public registry', registry, 'https://8.8.8.8/x', 'fine'],
  ['a public registry', registry, 'http://cdn.example.com/x', 'INSECURE_TRANSPORT'],
  ['a public registry', registry, 'http://127.0.0.1/x', 'INSECURE_TRANSPORT'],
  ['a public registry', registry, 'file:///etc/passwd', 'INSECURE_TRANSPORT'],
  ['a public registry', registry, 'https://localhost/x', 'REGISTRY_REFUSED'],
  ['a public registry', registry, 'https://127.0.0.1/x', 'REGISTRY_REFUSED'],
  ['a public registry', registry, 'https://2130706433/x', 'REGISTRY_REFUSED'],
  ['a public registry', registry, 'https://[::1]/x', 'REGISTRY_REFUSED'],
  ['a public registry', registry, 'https://[::ffff:169.254.169.254]/x', 'REGISTRY_REFUSED'],
  ['a public registry', registry, 'https://169.254.169.254/metadata', 'REGISTRY_REFUSED'],
  ['a public registry', registry, 'https://10.0.0.5/x', 'REGISTRY_REFUSED'],
  ['a registry in a private network', inside, 'https://10.0.0.5/x', 'fine'],
  ['a registry in a private network', inside, 'https://169.254.169.254/metadata', 'REGISTRY_REFUSED'],
  ['a registry in a private network', inside, 'https://127.0.0.1/x', 'REGISTRY_REFUSED'],
  ['a registry in a private network', inside, 'https://168.63.129.16/x', 'REGISTRY_REFUSED'],
  ['a loopback registry', loopback, 'http://127.0.0.1:5001/x', 'fine'],
  ['a loopback registry', loopback, 'http://registry.example.com/x', 'INSECURE_TRANSPORT'],
])('%s (%j) sends to %s: %s', (_name, allowed, target, expected) => {
  let outcome = 'fine';
  try {
    checkRedirect(new URL('https://registry.example.com/v2/x'), new URL(target), allowed);
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    outcome = error.code;
  }
  expect(outcome).toBe(expected);
});

test('a name that resolves to this machine is refused when it is connected to', async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const http = createHttpClient();
  const lookup = guardedLookup({}, true);
  const request = {
    method: 'GET',
    url: new URL(`http://localhost:${port}/secret`),
    headers: {},
    idleTimeoutMs: 1_000,
  } as const;
  await expect(http.send(request, lookup)).rejects.toMatchObject({ code: 'REGISTRY_REFUSED' });
  expect(seen).toEqual([]);
  http.close();
  await new Promise((resolve) => server.close(resolve));
});
