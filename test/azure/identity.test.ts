/** The managed identity as App Service serves it, and what registries are shown with it. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIdentity } from '../../shared/azure/identity.ts';
import { createRegistryCredentials } from '../../shared/azure/registry-credentials.ts';
import { listen } from '../../shared/local/emulators/server.ts';
import { createMemorySecrets } from '../support/memory-secrets.ts';
import { testCredential, testToken } from './loopback-service.ts';

// The SDK keeps tokens per client id and resource for the whole process, so each test asks for another resource.
describe('the managed identity', () => {
  const requests: IncomingMessage[] = [];
  let server: Server;

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(request);
      const expiresOn = String(Math.floor(Date.now() / 1000) + 3600);
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ access_token: 'of-the-identity', expires_on: expiresOn, token_type: 'Bearer' }),
      );
    });
    process.env['IDENTITY_ENDPOINT'] = `http://127.0.0.1:${await listen(server, 0)}/msi/token`;
    process.env['IDENTITY_HEADER'] = 'the-header';
  });
  afterAll(() => {
    server.close();
  });

  it('asks as App Service documents it, for the identity that the settings name', async () => {
    const token = await createIdentity('client-1').getToken('https://one.example/.default');
    expect(token?.token).toBe('of-the-identity');
    const asked = new URL(requests.at(-1)?.url ?? '', 'http://127.0.0.1').searchParams;
    expect(Object.fromEntries(asked)).toEqual({
      'api-version': '2019-08-01',
      resource: 'https://one.example',
      client_id: 'client-1',
    });
    expect(requests.at(-1)?.headers['x-identity-header']).toBe('the-header');
  });

  it('asks for the system-assigned one where none is named', async () => {
    await createIdentity().getToken('https://two.example/.default');
    expect(new URL(requests.at(-1)?.url ?? '', 'http://127.0.0.1').searchParams.has('client_id')).toBe(false);
  });

  it('shows registries a token for the resource that ACR exchanges', async () => {
    const credentialsFor = createRegistryCredentials(createMemorySecrets(), createIdentity('client-3'));
    const shown = await credentialsFor({ host: 'contoso.azurecr.io', aliases: [], auth: { kind: 'entra' } });
    expect(shown).toMatchObject({ kind: 'entra', token: expect.any(Function) });
    if (shown.kind === 'entra') expect(await shown.token()).toBe('of-the-identity');
    const asked = new URL(requests.at(-1)?.url ?? '', 'http://127.0.0.1').searchParams;
    expect(asked.get('resource')).toBe('https://containerregistry.azure.net');
  });
});

describe('credentials of a registry', () => {
  const endpoint = (auth: Parameters<ReturnType<typeof createRegistryCredentials>>[0]['auth']) => ({
    host: 'registry.example',
    aliases: [],
    auth,
  });

  it('are none for an anonymous one, and ask nobody', async () => {
    const secrets = createMemorySecrets();
    const credentialsFor = createRegistryCredentials(secrets, testCredential);
    expect(await credentialsFor(endpoint({ kind: 'anonymous' }))).toEqual({ kind: 'anonymous' });
    expect(secrets.reads()).toBe(0);
  });

  it('are read from the secrets at the moment of use', async () => {
    const secrets = createMemorySecrets({ user: 'u', password: 'one' });
    const credentialsFor = createRegistryCredentials(secrets, testCredential);
    const basic = endpoint({ kind: 'basic', userSecret: 'user', passwordSecret: 'password' });
    expect(await credentialsFor(basic)).toEqual({ kind: 'basic', user: 'u', password: 'one' });
    secrets.set('password', 'two');
    expect(await credentialsFor(basic)).toEqual({ kind: 'basic', user: 'u', password: 'two' });
  });

  it('name the secret that is missing, and hand on that the vault is down', async () => {
    const secrets = createMemorySecrets({ user: 'u' });
    const credentialsFor = createRegistryCredentials(secrets, testCredential);
    const basic = endpoint({ kind: 'basic', userSecret: 'user', passwordSecret: 'password' });
    await expect(credentialsFor(basic)).rejects.toMatchObject({
      code: 'SECRET_NOT_FOUND',
      message: expect.stringContaining('secret password'),
    });
    secrets.setDown(true);
    await expect(credentialsFor(basic)).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
      retryable: true,
    });
  });

  it('throw what may pass where the identity gives no token', async () => {
    const silent = { getToken: () => Promise.resolve(null) };
    const shown = await createRegistryCredentials(createMemorySecrets(), silent)(endpoint({ kind: 'entra' }));
    const failing = shown.kind === 'entra' ? shown.token() : Promise.resolve();
    await expect(failing).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE', retryable: true });
  });

  it('pass the token on as it is', async () => {
    const credentialsFor = createRegistryCredentials(createMemorySecrets(), testCredential);
    const shown = await credentialsFor(endpoint({ kind: 'entra' }));
    expect(shown.kind === 'entra' && (await shown.token())).toBe(testToken);
  });
});
