/** Subscriptions and deliveries over the API, and who may call what. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maxPageSize } from '../../shared/api/paging.ts';
import { routes } from '../../shared/api/routes.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { signingSecret, startWorld, type World } from '../pipeline/world.ts';
import { type ApiWorld, callerWith, createApiWorld, type RouteName } from './api-world.ts';

const input = {
  name: 'Team A',
  repositories: 'contoso.azurecr.io/team-a/*',
  kinds: ['finding.new', 'decision'],
  minSeverity: 'high',
  url: 'https://receiver.example/hook',
  secretName: signingSecret.name,
};

let world: World;
let api: ApiWorld;
let status: number;

beforeEach(async () => {
  status = 204;
  world = await startWorld({ answer: () => ({ status }) });
  api = createApiWorld(world.context);
});

afterEach(async () => {
  await world.close();
});

async function create(more: object = {}): Promise<string> {
  const { body } = await api.ask('createSubscription', { body: { ...input, ...more } });
  return (body as { id: string }).id;
}

async function deliveries(id: string, query: Readonly<Record<string, string>> = {}) {
  const { body } = await api.ask('listDeliveries', { params: { id }, query });
  return (body as { items: { deliveryId: string; status: string }[] }).items;
}

describe('a subscription', () => {
  it('is created, read, listed and deleted', async () => {
    const created = await api.ask('createSubscription', { body: input });
    const { id } = created.body as { id: string };
    const expected = { ...input, id, createdBy: 'user-operator', createdAt: '2026-03-01T12:00:00.000Z' };
    expect(created).toMatchObject({ status: 201, headers: { location: `/api/subscriptions/${id}` } });
    expect(created.body).toEqual(expected);
    expect((await api.ask('getSubscription', { params: { id } })).body).toEqual(expected);
    expect((await api.ask('listSubscriptions')).body).toEqual({ items: [expected], cursor: null });
    expect(await api.ask('deleteSubscription', { params: { id } })).toMatchObject({
      status: 204,
      body: undefined,
    });
    expect((await api.ask('getSubscription', { params: { id } })).status).toBe(404);
    expect((await api.ask('deleteSubscription', { params: { id } })).status).toBe(404);
  });

  it('is listed by pages', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => create()));
    const first = (await api.ask('listSubscriptions', { query: { limit: '3' } })).body as {
      items: { id: string }[];
      cursor: string;
    };
    const second = (await api.ask('listSubscriptions', { query: { limit: '3', cursor: first.cursor } })).body;
    expect(second).toMatchObject({ items: { length: 2 }, cursor: null });
    expect(first.items.every((item) => ids.includes(item.id))).toBe(true);
  });

  it.each<[number, object]>([
    [400, { name: '' }],
    [400, { name: 'x'.repeat(101) }],
    [400, { repositories: '' }],
    [400, { repositories: 'a b' }],
    [400, { kinds: [] }],
    [400, { kinds: ['everything'] }],
    [400, { minSeverity: 'severe' }],
    [400, { secretName: 'contoso-token' }],
    [400, { secretName: 'subscription-' }],
    [400, { secretName: 'subscription-a/../b' }],
    [400, { secret: 'whsec_xxx' }],
    [400, { id: 'mine' }],
    [400, { createdBy: 'somebody' }],
    [400, { url: '' }],
    [400, { url: 'receiver.example' }],
    [400, { url: 'http://receiver.example/' }],
    [400, { url: 'file:///etc/passwd' }],
    [400, { url: 'https://user:pw@receiver.example/' }],
    [400, { url: 'https://receiver.example/?code=secret' }],
    [422, { url: 'https://10.0.0.1/' }],
    [422, { url: 'https://169.254.169.254/metadata' }],
    [422, { url: 'https://[fd00::1]/' }],
  ])('is refused with %i for %o', async (code, more) => {
    const response = await api.ask('createSubscription', { body: { ...input, ...more } });
    expect(response).toMatchObject({ status: code, body: { detail: expect.any(String) } });
    expect((await api.ask('listSubscriptions')).body).toMatchObject({ items: [] });
  });

  it('may name a loopback receiver on one machine only', async () => {
    const local = { ...input, url: 'http://127.0.0.1:9000/hook' };
    expect((await api.ask('createSubscription', { body: local })).status).toBe(201);
    const { registries: _, ...rest } = world.context;
    const onAzure = createApiWorld({ ...rest, registries: { registries: [] } });
    for (const url of [local.url, 'https://127.0.0.1:9000/hook', 'https://localhost/hook']) {
      const response = await onAzure.ask('createSubscription', { body: { ...local, url } });
      expect([400, 422]).toContain(response.status);
    }
  });
});

describe('deliveries', () => {
  it('a test message is sent and shows what became of it', async () => {
    const id = await create();
    const tested = await api.ask('testSubscription', { params: { id } });
    const { deliveryId } = tested.body as { deliveryId: string };
    expect(tested.status).toBe(202);
    await world.settle();
    expect(world.received).toHaveLength(1);
    expect(world.received[0]?.headers['webhook-id']).toBe(deliveryId);
    expect(await deliveries(id)).toMatchObject([
      { deliveryId, status: 'delivered', changeCount: 0, digests: [], lastTry: { outcome: 'answered 204' } },
    ]);
    expect(JSON.stringify(await deliveries(id))).not.toContain(signingSecret.value);
  });

  it('one that failed for good is driven again under the same id and body', async () => {
    status = 500;
    const id = await create();
    await api.ask('testSubscription', { params: { id } });
    await world.settle({ withinMs: 7 * 24 * 3_600_000 });
    const [failed] = await deliveries(id, { status: 'failed' });
    const before = world.received.length;
    status = 200;
    const params = { id, deliveryId: failed?.deliveryId ?? '' };
    expect((await api.ask('retryDelivery', { params })).status).toBe(202);
    await world.settle();
    expect(world.received).toHaveLength(before + 1);
    expect(world.received.at(-1)?.body).toBe(world.received[0]?.body);
    expect(world.received.at(-1)?.headers['webhook-id']).toBe(params.deliveryId);
    expect(await deliveries(id, { status: 'delivered' })).toHaveLength(1);
  });

  it('what is not there is 404, and a status that there is none of 400', async () => {
    const id = await create();
    expect((await api.ask('retryDelivery', { params: { id, deliveryId: 'msg_none' } })).status).toBe(404);
    expect((await api.ask('testSubscription', { params: { id: 'none' } })).status).toBe(404);
    expect((await api.ask('testSubscription', { params: { id: '../policies' } })).status).toBe(404);
    expect((await api.ask('listDeliveries', { params: { id }, query: { status: 'lost' } })).status).toBe(400);
  });
});

describe('who may call', () => {
  const names = Object.keys(routes) as RouteName[];
  const open = names.filter((name) => routes[name].access === 'open');
  const writing = names.filter((name) => routes[name].method !== 'GET' && !open.includes(name));
  const reading = names.filter((name) => routes[name].method === 'GET' && !open.includes(name));

  it('only the webhooks and the health check are open', () => {
    expect(open).toEqual(['receiveAcr', 'receiveDistribution', 'getHealth']);
    expect(writing.length).toBeGreaterThan(3);
    expect(reading.length).toBeGreaterThan(5);
  });

  it.each([...reading, ...writing])(
    '%s is 401 for nobody and 403 for a caller without a role',
    async (name) => {
      api.callAs(undefined);
      expect(await api.ask(name)).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
      api.callAs(callerWith());
      expect((await api.ask(name)).status).toBe(403);
    },
  );

  it.each(writing)('%s is 403 for a reader', async (name) => {
    api.callAs(callerWith('reader'));
    expect((await api.ask(name)).status).toBe(403);
    for (const role of ['operator', 'administrator'] as const) {
      api.callAs(callerWith(role));
      expect([401, 403]).not.toContain((await api.ask(name)).status);
    }
  });

  it.each(reading)('%s is for every role', async (name) => {
    for (const role of ['reader', 'operator', 'administrator'] as const) {
      api.callAs(callerWith(role));
      expect([401, 403, 500]).not.toContain((await api.ask(name)).status);
    }
  });
});

describe('what fails', () => {
  it('in the store is 503 with Retry-After, and what nobody foresaw is 500 without a word about it', async () => {
    const failing = (error: Error) =>
      createApiWorld({
        ...world.context,
        ports: {
          ...world.context.ports,
          documents: { ...world.context.ports.documents, list: () => Promise.reject(error) },
        },
      });
    const down = new PlimsollError('STORE_UNAVAILABLE', 'the store does not answer', { retryable: true });
    expect(await failing(down).ask('listSubscriptions')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      body: { code: 'STORE_UNAVAILABLE', title: 'Service Unavailable' },
    });
    const foreign = await failing(new TypeError('inner detail')).ask('listSubscriptions');
    expect(foreign.status).toBe(500);
    expect(JSON.stringify(foreign.body)).not.toContain('inner detail');
  });
});

describe('GET /api/intake', () => {
  it('shows what was ignored and counts it by reason', async () => {
    for (const [index, reason] of ['unknown-registry', 'malformed-json', 'unknown-registry'].entries()) {
      await world.context.ports.queues.send('image-events', {
        asOf: '2026-03-01T12:00:00Z',
        attempt: 0,
        firstEnqueuedAt: '2026-03-01T12:00:00Z',
        kind: 'ignored',
        registry: 'evil.example.com',
        reason,
        detail: 'because',
        eventId: `event${index}`,
      });
    }
    await world.settle();
    const { body } = await api.ask('listIntake', { query: { limit: '2' } });
    expect(body).toMatchObject({
      items: { length: 2 },
      counts: { complete: true, total: 3, byReason: { 'malformed-json': 1, 'unknown-registry': 2 } },
    });
    const narrowed = await api.ask('listIntake', { query: { reason: 'malformed-json' } });
    expect(narrowed.body).toMatchObject({
      items: [
        { registry: 'evil.example.com', repository: null, reason: 'malformed-json', detail: 'because' },
      ],
    });
  });

  it('takes the largest page', async () => {
    expect((await api.ask('listIntake', { query: { limit: String(maxPageSize) } })).status).toBe(200);
  });
});

describe('GET /api/health', () => {
  it('is 200 where everything answers and asks the services once for many probes', async () => {
    world.memory.documents.resetCounts();
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.ask('getHealth')));
    expect(answers[0]).toMatchObject({
      status: 200,
      body: { status: 'ok', checks: { queues: 'ok', documents: 'ok', blobs: 'ok' } },
    });
    expect(world.memory.documents.counts().reads).toBe(1);
  });

  it('is 503 and names what does not answer', async () => {
    const registries = {
      registries: [],
      loopback: { environment: 'x', auth: { kind: 'anonymous' }, webhookTokenSecret: 'token' },
    } as const;
    const broken = createApiWorld({ ...world.context, registries });
    world.memory.secrets.setDown(true);
    expect(await broken.ask('getHealth')).toMatchObject({
      status: 503,
      body: { status: 'unavailable', checks: { secrets: 'unavailable', queues: 'ok' } },
    });
    world.memory.secrets.setDown(false);
    world.clock.advance(5_000);
    expect((await broken.ask('getHealth')).status).toBe(200);
  });
});
