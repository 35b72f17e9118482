/** Credentials of the Docker configuration; the helpers are small programs written for the tests. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dockerCredentials } from '../../shared/image/docker-config.ts';

let folder: string;
const path = process.env['PATH'];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plimsoll-test-'));
  process.env['PATH'] = `${folder}:${path}`;
});

afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true, force: true });
});

async function credentialsOf(config: unknown, host: string, helperTimeoutMs = 5_000) {
  if (config !== undefined) {
    await writeFile(
      join(folder, 'config.json'),
      typeof config === 'string' ? config : JSON.stringify(config),
    );
  }
  return dockerCredentials({ folder, helperTimeoutMs })({ host, aliases: [], auth: { kind: 'anonymous' } });
}

async function writeHelper(name: string, script: string): Promise<void> {
  const file = join(folder, `docker-credential-${name}`);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

const basic = { kind: 'basic', user: 'ann', password: 'pa:ss' };

test.each([
  ['a plain host', { 'registry.example.com': { auth: base64('ann:pa:ss') } }, 'registry.example.com', basic],
  ['a host with a port', { 'example.com:5000': { auth: base64('ann:pa:ss') } }, 'example.com:5000', basic],
  [
    'an address of an older version',
    { 'https://registry.example.com/v1/': { auth: base64('ann:pa:ss') } },
    'registry.example.com',
    basic,
  ],
  ['Docker Hub', { 'https://index.docker.io/v1/': { auth: base64('ann:pa:ss') } }, 'docker.io', basic],
  [
    'user and password apart',
    { 'registry.example.com': { username: 'ann', password: 'pa:ss' } },
    'registry.example.com',
    basic,
  ],
  [
    'an identity token',
    { 'registry.example.com': { auth: base64('x:'), identitytoken: 'tok' } },
    'registry.example.com',
    { kind: 'refresh-token', refreshToken: 'tok' },
  ],
  ['an empty entry', { 'registry.example.com': {} }, 'registry.example.com', { kind: 'anonymous' }],
  [
    'another host',
    { 'registry.example.com': { auth: base64('ann:pa:ss') } },
    'example.com',
    { kind: 'anonymous' },
  ],
  [
    'another port',
    { 'example.com:5000': { auth: base64('ann:pa:ss') } },
    'example.com',
    { kind: 'anonymous' },
  ],
  ['a key of the prototype', {}, '__proto__', { kind: 'anonymous' }],
])('auths with %s', async (_name, auths, host, expected) => {
  expect(await credentialsOf({ auths }, host)).toEqual(expected);
});

test('without a configuration everything is anonymous', async () => {
  expect(await credentialsOf(undefined, 'registry.example.com')).toEqual({ kind: 'anonymous' });
});

test.each([
  ['no JSON', '{"auths": secret'],
  ['another form', { auths: [] }],
  ['an auth that is no user:password', { auths: { 'registry.example.com': { auth: base64('secret') } } }],
  ['a helper with a path', { credsStore: '../../bin/sh' }],
  ['a helper that is not there', { credsStore: 'not-there' }],
])('%s is told without what stands in the file', async (_name, config) => {
  const asked = credentialsOf(config, 'registry.example.com');
  await expect(asked).rejects.toMatchObject({ code: 'INVALID_SETTING' });
  await expect(asked).rejects.not.toThrow(/secret/);
});

test('a helper is asked for the host on its input and gives user and password', async () => {
  await writeHelper(
    'one',
    'read host; [ "$1 $host" = "get registry.example.com" ] && echo \'{"ServerURL":"x","Username":"ann","Secret":"pa:ss"}\'',
  );
  expect(await credentialsOf({ credsStore: 'one' }, 'registry.example.com')).toEqual(basic);
});

test('Docker Hub is asked for under its old address', async () => {
  await writeHelper(
    'one',
    'read host; [ "$host" = "https://index.docker.io/v1/" ] && echo \'{"Username":"ann","Secret":"pa:ss"}\'',
  );
  expect(await credentialsOf({ credsStore: 'one' }, 'docker.io')).toEqual(basic);
});

test('a helper of the host comes before the store, and a token is a refresh token', async () => {
  await writeHelper('one', 'echo \'{"Username":"<token>","Secret":"tok"}\'');
  await writeHelper('two', 'exit 1');
  const config = { credHelpers: { 'registry.example.com': 'one' }, credsStore: 'two' };
  expect(await credentialsOf(config, 'registry.example.com')).toEqual({
    kind: 'refresh-token',
    refreshToken: 'tok',
  });
});

test('a helper that knows nothing of the host leaves the file to say it', async () => {
  await writeHelper('one', 'echo "credentials not found in native keychain"; exit 1');
  const auths = { 'registry.example.com': { auth: base64('ann:pa:ss') } };
  expect(await credentialsOf({ auths, credsStore: 'one' }, 'registry.example.com')).toEqual(basic);
  expect(await credentialsOf({ credsStore: 'one' }, 'registry.example.com')).toEqual({ kind: 'anonymous' });
});

test.each([
  ['fails', 'echo "no such secret"; exit 1'],
  ['answers with no JSON', 'echo secret'],
  ['answers without end', 'while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done'],
  ['never answers', 'exec sleep 60'],
])('a helper that %s is an error', async (_name, script) => {
  await writeHelper('one', script);
  const asked = credentialsOf({ credsStore: 'one' }, 'registry.example.com', 500);
  await expect(asked).rejects.toMatchObject({ code: 'INVALID_SETTING' });
  await expect(asked).rejects.not.toThrow(/secret/);
});
