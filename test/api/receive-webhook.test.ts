/** Intake: what a sender is answered, and what stands on the queue by then. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../../shared/api/http.ts';
import { receiveRegistryEvent } from '../../shared/api/receive-registry-event.ts';
import { maxNotificationBytes, receiveWebhook } from '../../shared/api/receive-webhook.ts';
import { createWebhookTokens } from '../../shared/api/webhook-tokens.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import type { RegistrySettings } from '../../shared/domain/registry-setting.ts';
import { imageEventSchema } from '../../shared/pipeline/messages.ts';
import { silentLog } from '../../shared/ports/log.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createMemoryQueues } from '../support/memory-queues.ts';
import { createMemorySecrets } from '../support/memory-secrets.ts';

const now = '2026-03-01T12:00:00.000Z';
const digest = `sha256:${'0c'.repeat(32)}`;
const envelope = { asOf: now, attempt: 0, firstEnqueuedAt: now };
const registries: RegistrySettings = {
  registries: [
    {
      host: 'contoso.azurecr.io',
      aliases: ['registry.contoso.com'],
      environment: 'production',
      auth: { kind: 'anonymous' },
      webhookTokenSecret: 'contoso-token',
    },
  ],
};

function world(settings: RegistrySettings = registries) {
  const clock = createManualClock(now);
  const queues = createMemoryQueues({ clock });
  const secrets = createMemorySecrets({ 'contoso-token': 'right', 'local-token': 'local' });
  const tokens = createWebhookTokens({ secrets, clock });
  const deps = { registries: settings, tokens, queues, clock, log: silentLog };
  return { deps, secrets, queued: () => queues.peekAll('image-events').map((message) => message.body) };
}

function request(
  body: string | Uint8Array,
  token: string | null = 'right',
  headers: object = {},
): ApiRequest {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  return {
    method: 'POST',
    params: {},
    query: {},
    headers: { 'content-type': 'application/json', ...authorization, ...headers },
    body: (async function* chunks() {
      for (let at = 0; at < bytes.byteLength; at += 65_536) yield bytes.subarray(at, at + 65_536);
    })(),
  };
}

function push(host: string, target: object = {}): string {
  return JSON.stringify({
    id: 'event-1',
    action: 'push',
    target: { digest, repository: 'team/app', tag: 'v1', mediaType: 'application/json', ...target },
    request: { host },
  });
}

describe('a webhook with the right token', () => {
  it('is answered 202 with its push on the queue under the registry’s own host', async () => {
    const { deps, queued } = world();
    const response = await receiveWebhook('acr', request(push('Registry.Contoso.com')), deps);
    expect(response.status).toBe(202);
    expect(queued()).toEqual([
      {
        ...envelope,
        kind: 'push',
        registry: 'contoso.azurecr.io',
        repository: 'team/app',
        tag: 'v1',
        digest,
      },
    ]);
  });

  it('is answered 202 with a delete on the queue', async () => {
    const { deps, queued } = world();
    const body = push('contoso.azurecr.io').replace('"push"', '"delete"');
    expect((await receiveWebhook('acr', request(body), deps)).status).toBe(202);
    expect(queued()).toMatchObject([{ kind: 'delete', repository: 'team/app', digest }]);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['an unknown registry', push('evil.example.com'), 'unknown-registry'],
    ['a loopback registry where those do not count', push('127.0.0.1:5000'), 'unknown-registry'],
    ['no registry at all', push(''), 'no-registry'],
    ['JSON that is none', '{"action":"push"', 'malformed-json'],
    ['nothing', '', 'malformed-json'],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe, 0x00, 0x80), 'malformed-json'],
    ['an event of another shape', '[]', 'malformed-body'],
    ['a chart', '{"action":"chart_push","target":{"repository":"x"}}', 'helm-chart'],
    ['a body over the limit', Buffer.alloc(maxNotificationBytes + 1, ' '), 'too-large'],
    ['JSON nested a million deep', '['.repeat(1_000_000), 'malformed-json'],
  ])('is answered 202 for %s, which is recorded as ignored', async (_name, body, reason) => {
    const { deps, queued } = world();
    const response = await receiveWebhook('acr', request(body), deps);
    expect(response.status).toBe(202);
    expect(queued()).toMatchObject([{ kind: 'ignored', reason }]);
    expect(imageEventSchema.parse(queued()[0])).toMatchObject({
      eventId: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
  });

  it('records the same broken notification under the same id, so that a repeat is no second record', async () => {
    const { deps, queued } = world();
    await receiveWebhook('acr', request('{"x"'), deps);
    await receiveWebhook('acr', request('{"x"'), deps);
    await receiveWebhook('acr', request('{"y"'), deps);
    const ids = queued()
      .map((message) => imageEventSchema.parse(message))
      .map((m) => (m.kind === 'ignored' ? m.eventId : ''));
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(2);
  });

  it('is answered 202 for a ping, with nothing on the queue', async () => {
    const { deps, queued } = world();
    expect((await receiveWebhook('acr', request('{"action":"ping"}'), deps)).status).toBe(202);
    expect(queued()).toEqual([]);
  });

  it('a body of exactly the limit is read', async () => {
    const { deps, queued } = world();
    const body = push('contoso.azurecr.io').padEnd(maxNotificationBytes, ' ');
    expect((await receiveWebhook('acr', request(body), deps)).status).toBe(202);
    expect(queued()).toMatchObject([{ kind: 'push' }]);
  });

  it('enqueues every push of a large batch once, and one that is told twice once', async () => {
    const { deps, queued } = world();
    const events = Array.from(
      { length: 100 },
      (_, index) =>
        JSON.parse(push('contoso.azurecr.io', { repository: `team/app-${index % 50}` })) as object,
    );
    const body = JSON.stringify({ events });
    expect((await receiveWebhook('distribution', request(body), deps)).status).toBe(202);
    expect(queued()).toHaveLength(50);
  });

  it('is answered 503 where the queue can not be reached', async () => {
    const { deps } = world();
    const queues = {
      send: async () => {
        throw new PlimsollError('QUEUE_UNAVAILABLE', 'the queue does not answer', { retryable: true });
      },
    };
    const response = await receiveWebhook('acr', request(push('contoso.azurecr.io')), { ...deps, queues });
    expect(response.status).toBe(503);
    expect(response.headers['retry-after']).toBe('5');
  });

  it('the scheme may be written in any case', async () => {
    const { deps } = world();
    const headers = { authorization: 'bearer right' };
    expect((await receiveWebhook('acr', request('{}', null, headers), deps)).status).toBe(202);
  });
});

describe('a webhook without the right token', () => {
  it.each<[string, string | null, object]>([
    ['no token', null, {}],
    ['a wrong one', 'wrong', {}],
    ['one that is longer', 'right1', {}],
    ['an empty one', '', {}],
    ['another scheme', null, { authorization: 'Basic right' }],
    ['the token without a scheme', null, { authorization: 'right' }],
  ])('is answered 401 with nothing on the queue: %s', async (_name, token, headers) => {
    const { deps, queued } = world();
    const response = await receiveWebhook('acr', request(push('contoso.azurecr.io'), token, headers), deps);
    expect(response.status).toBe(401);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(queued()).toEqual([]);
  });

  it('is answered 413 where the body is too large, announced or not', async () => {
    const { deps, queued } = world();
    const large = Buffer.alloc(maxNotificationBytes + 1, ' ');
    const announced = { 'content-length': String(large.byteLength) };
    expect((await receiveWebhook('acr', request(large, 'wrong', announced), deps)).status).toBe(413);
    expect((await receiveWebhook('acr', request(large, 'wrong'), deps)).status).toBe(413);
    expect(queued()).toEqual([]);
  });

  it('is answered 401 where no registry has a token', async () => {
    const { deps } = world({ registries: [] });
    expect((await receiveWebhook('acr', request('{}', ''), deps)).status).toBe(401);
    expect((await receiveWebhook('acr', request('{}', 'undefined'), deps)).status).toBe(401);
  });

  it('is answered 503 where the token can not be read', async () => {
    const { deps, secrets, queued } = world();
    secrets.setDown(true);
    expect((await receiveWebhook('acr', request(push('contoso.azurecr.io')), deps)).status).toBe(503);
    expect(queued()).toEqual([]);
  });
});

describe('on one machine', () => {
  const loopback = {
    environment: 'local',
    auth: { kind: 'anonymous' },
    webhookTokenSecret: 'local-token',
  } as const;

  it('every loopback registry counts, with one token', async () => {
    const { deps, queued } = world({ registries: [], loopback });
    expect((await receiveWebhook('acr', request(push('127.0.0.1:5000'), 'local'), deps)).status).toBe(202);
    expect(queued()).toMatchObject([{ kind: 'push', registry: '127.0.0.1:5000' }]);
  });

  it.skipIf(!hasCorpus)(`a recorded push of docker-registry reaches the queue${corpusReason}`, async () => {
    const { deps, queued } = world({ registries: [], loopback });
    const body = readFileSync(join(corpusPath, 'registry-notifications', '012.json'));
    expect((await receiveWebhook('distribution', request(body, 'local'), deps)).status).toBe(202);
    expect(queued()).toMatchObject([{ kind: 'push', repository: 'demo/app', tag: 'whiteout' }]);
  });
});

describe('a message from Event Grid', () => {
  const event = {
    id: '1',
    eventType: 'Microsoft.ContainerRegistry.ImagePushed',
    data: JSON.parse(push('contoso.azurecr.io')) as object,
  };

  it.each<[string, unknown]>([
    ['as the host parsed it', event],
    ['as plain text', JSON.stringify(event)],
    ['as base64', Buffer.from(JSON.stringify(event)).toString('base64')],
  ])('puts its push on the queue, %s', async (_name, message) => {
    const { deps, queued } = world();
    await receiveRegistryEvent(message, deps);
    expect(queued()).toMatchObject([
      { kind: 'push', registry: 'contoso.azurecr.io', repository: 'team/app' },
    ]);
  });

  it('that can not be read is recorded as ignored', async () => {
    const { deps, queued } = world();
    await receiveRegistryEvent('no event', deps);
    expect(queued()).toMatchObject([{ kind: 'ignored', reason: 'malformed-body' }]);
  });
});
