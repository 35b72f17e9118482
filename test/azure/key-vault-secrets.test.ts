/** Secrets are asked for rarely, and a vault that fails is told apart from a secret that is not there. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKeyVaultSecrets, type KeyVaultOptions } from '../../shared/azure/key-vault-secrets.ts';
import { type LoopbackService, startLoopbackService, testCredential, testToken } from './loopback-service.ts';

let vault: LoopbackService;
let nowMs = Date.UTC(2026, 0, 1);
const clock = { now: () => new Date(nowMs) };

beforeAll(async () => {
  vault = await startLoopbackService();
});
afterAll(() => vault.stop());
beforeEach(() => {
  nowMs = Date.UTC(2026, 0, 1);
});

describe('reading a secret', () => {
  it('asks once in five minutes', async () => {
    const asked = play([{ body: secret('a') }, { body: secret('b') }]);
    const secrets = createSecrets();
    expect(await secrets.read('name')).toBe('a');
    nowMs += 299_999;
    expect(await secrets.read('name')).toBe('a');
    expect(asked()).toBe(1);
    nowMs += 1;
    expect(await secrets.read('name')).toBe('b');
    expect(asked()).toBe(2);
  });

  it('asks once for all who ask at the same moment', async () => {
    const asked = play([{ body: secret('a') }]);
    const secrets = createSecrets();
    const reads = await Promise.all(Array.from({ length: 20 }, () => secrets.read('name')));
    expect(new Set(reads)).toEqual(new Set(['a']));
    expect(asked()).toBe(1);
  });

  it('asks each time for what its reader keeps itself', async () => {
    play([{ body: secret('a') }, { body: secret('b') }]);
    const secrets = createSecrets({ isCachedByReader: (name) => name === 'token' });
    expect(await secrets.read('token')).toBe('a');
    expect(await secrets.read('token')).toBe('b');
  });

  it('believes an absence for fifteen seconds', async () => {
    play([{ status: 404, body: failure('SecretNotFound') }, { body: secret('a') }]);
    const secrets = createSecrets();
    expect(await secrets.read('name')).toBeUndefined();
    nowMs += 14_999;
    expect(await secrets.read('name')).toBeUndefined();
    nowMs += 1;
    expect(await secrets.read('name')).toBe('a');
  });

  // Bodies as in the Key Vault REST reference; `Forbidden` with the inner code is how a disabled secret is answered.
  it.for<[string, { status?: number; body: object }]>([
    ['is not there', { status: 404, body: failure('SecretNotFound') }],
    ['is disabled', { status: 403, body: failure('Forbidden', 'SecretDisabled') }],
    ['says that it is disabled', { body: secret('a', { enabled: false }) }],
    ['expired', { body: secret('a', { exp: Date.UTC(2025, 11, 31) / 1000 }) }],
    ['is not yet valid', { body: secret('a', { nbf: Date.UTC(2026, 0, 2) / 1000 }) }],
  ])('gives undefined for one that %s', async ([, answer]) => {
    play([answer]);
    expect(await createSecrets().read('name')).toBeUndefined();
  });

  it('gives one that expires later', async () => {
    play([{ body: secret('a', { exp: Date.UTC(2026, 0, 2) / 1000, nbf: Date.UTC(2025, 0, 1) / 1000 }) }]);
    expect(await createSecrets().read('name')).toBe('a');
  });

  it.for<[string, number, string]>([
    ['has no role for us', 403, 'Forbidden'],
    ['is overloaded', 429, 'Throttled'],
    ['fails', 500, 'InternalServerError'],
    ['is down', 503, 'ServiceUnavailable'],
  ])(
    'throws what may pass where the vault %s, and keeps token and old value out of it',
    async ([, status, code]) => {
      const down = { status, body: failure(code) };
      play([{ body: secret('old-secret-value') }, down, down, down]);
      const secrets = createSecrets();
      await secrets.read('name');
      nowMs += 300_000;
      const error: unknown = await secrets.read('name').catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'SECRET_UNAVAILABLE', retryable: true });
      const shown = `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)}`;
      expect(shown).toContain(String(status));
      expect(shown).not.toContain(testToken);
      expect(shown).not.toContain('old-secret-value');
    },
  );

  it('asks again at once after a failure', async () => {
    const down = { status: 403, body: failure('Forbidden') };
    play([down, { body: secret('a') }]);
    const secrets = createSecrets();
    await expect(secrets.read('name')).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    expect(await secrets.read('name')).toBe('a');
  });

  it('gives up on a vault that never answers', async () => {
    vault.answer = undefined;
    const reading = createSecrets({ timeoutMs: 100 }).read('name');
    await expect(reading).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE', retryable: true });
  });
});

function createSecrets(options: Partial<KeyVaultOptions> = {}) {
  return createKeyVaultSecrets({
    vaultUri: vault.uri,
    credential: testCredential,
    clock,
    allowOtherAudience: true,
    ...options,
  });
}

interface Answer {
  readonly status?: number;
  readonly body: object;
}

/** Answers requests that carry the token one after the other, the last one again and again; returns how many came. */
function play(answers: readonly Answer[]): () => number {
  let asked = 0;
  vault.answer = (request, response) => {
    if (request.headers.authorization !== `Bearer ${testToken}`) {
      const challenge =
        'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"';
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return;
    }
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    response.writeHead(answer?.status ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer?.body));
  };
  return () => asked;
}

function secret(value: string, attributes: object = {}): object {
  return {
    value,
    id: 'https://v.vault.azure.net/secrets/name/0123456789abcdef0123456789abcdef',
    attributes: { enabled: true, ...attributes },
  };
}

function failure(code: string, innerCode?: string): object {
  const inner = innerCode === undefined ? {} : { innererror: { code: innerCode } };
  const message = innerCode === undefined ? 'failed' : 'Operation get is not allowed on a disabled secret.';
  return { error: { code, message, ...inner } };
}
