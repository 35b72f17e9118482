/** Which registries may be called, and where they answer. */
import { expect, test } from 'vitest';
import { PlimsollError } from '../../shared/domain/errors.ts';
import {
  apiRepository,
  createEndpointLookup,
  type RegistryEndpoint,
} from '../../shared/image/registry-endpoints.ts';

const anonymous = { kind: 'anonymous' } as const;

function registry(host: string, aliases: readonly string[] = []): RegistryEndpoint {
  return { host, aliases, auth: anonymous };
}

const registries = [
  registry('contoso.azurecr.io', ['images.contoso.com']),
  registry('docker.io'),
  registry('127.0.0.1:5001'),
];

test.each([
  ['contoso.azurecr.io', true, 'https://contoso.azurecr.io'],
  ['CONTOSO.azurecr.io', true, 'https://contoso.azurecr.io'],
  ['images.contoso.com', true, 'https://contoso.azurecr.io'],
  ['contoso.azurecr.io:443', true, 'REGISTRY_NOT_CONFIGURED'],
  ['evil.contoso.azurecr.io', true, 'REGISTRY_NOT_CONFIGURED'],
  ['docker.io', true, 'https://registry-1.docker.io'],
  ['index.docker.io', true, 'https://registry-1.docker.io'],
  ['127.0.0.1:5000', true, 'http://127.0.0.1:5000'],
  ['localhost:5000', true, 'http://localhost:5000'],
  ['[::1]:5000', true, 'http://[::1]:5000'],
  ['127.0.0.1:5001', true, 'http://127.0.0.1:5001'],
  ['127.0.0.1:5000', false, 'REGISTRY_NOT_CONFIGURED'],
  ['127.0.0.1:5001', false, 'REGISTRY_NOT_CONFIGURED'],
  ['169.254.169.254', true, 'REGISTRY_NOT_CONFIGURED'],
  ['10.0.0.1', true, 'REGISTRY_NOT_CONFIGURED'],
  ['__proto__', true, 'REGISTRY_NOT_CONFIGURED'],
])('%s (loopback allowed: %s) answers at %s', (host, allowLoopback, expected) => {
  const find = createEndpointLookup(registries, allowLoopback);
  let found: string;
  try {
    found = find(host).origin;
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    found = error.code;
  }
  expect(found).toBe(expected);
});

test('an official image of Docker Hub stands under library/', () => {
  const find = createEndpointLookup(registries, true);
  expect(apiRepository(find('docker.io'), 'nginx')).toBe('library/nginx');
  expect(apiRepository(find('docker.io'), 'team/app')).toBe('team/app');
  expect(apiRepository(find('contoso.azurecr.io'), 'nginx')).toBe('nginx');
});

test('a host with a scheme is refused when the client is made', () => {
  const make = (host: string) => () => createEndpointLookup([registry(host)], true);
  expect(make('http://registry.example.com')).toThrow(
    expect.objectContaining({ code: 'INSECURE_TRANSPORT' }),
  );
  expect(make('https://registry.example.com')).toThrow(
    expect.objectContaining({ code: 'INSECURE_TRANSPORT' }),
  );
});
