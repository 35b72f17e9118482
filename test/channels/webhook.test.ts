/** The signed webhook: its signature against the scheme's own library and vector, its body's size and order. */
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import type { DeliveryContent, ImageChanges } from '../../shared/channels/contract.ts';
import { channelOf } from '../../shared/channels/registry.ts';
import { type Change, changeKinds } from '../../shared/domain/change.ts';
import type { Digest } from '../../shared/domain/digest.ts';
import { severities } from '../../shared/domain/severity.ts';

const webhook = channelOf();
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const url = 'https://receiver.example/hook';
const digest = `sha256:${'ab'.repeat(32)}` as Digest;

function change(index: number, more: Partial<Change> = {}): Change & { id: string } {
  return {
    id: `id-${index}`,
    kind: 'finding.new',
    subject: `CVE-2026-${index} pkg:npm/x`,
    severity: 'high',
    title: `CVE-2026-${index} (high) in pkg:npm/x@1.0.${index}`,
    advisory: `CVE-2026-${index}`,
    purl: `pkg:npm/x@1.0.${index}`,
    ...more,
  };
}

function image(changes: ImageChanges['changes'], repository = 'team/app'): ImageChanges {
  return {
    place: { registry: 'contoso.azurecr.io', repository, environment: 'production' },
    digest,
    tag: 'v1',
    decisionBefore: 'warn',
    decision: 'fail',
    cause: { kind: 'push' },
    changes,
  };
}

function content(images: readonly ImageChanges[]): DeliveryContent {
  return {
    subscription: { id: 'sub1', name: 'Team A' },
    timestamp: '2026-03-01T12:00:00.000Z',
    publicUrl: 'https://plimsoll.example/api',
    images,
  };
}

interface Body {
  readonly type: string;
  readonly data: {
    readonly changeCount: number;
    readonly omitted: number;
    readonly images: readonly {
      readonly omitted: number;
      readonly place: { readonly repository: string };
      readonly changes: readonly { readonly id: string; readonly severity: string | null }[];
    }[];
  };
}

function read(text: string): Body {
  return JSON.parse(text) as Body;
}

describe('the signature', () => {
  it('is the one of the published vector', () => {
    // Vector of the standard-webhooks repository's own tests.
    const request = webhook.request({
      deliveryId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      url,
      body: '{"test": 2432232314}',
      secret,
      now: new Date(1_614_265_330_000),
    });
    expect(request.headers).toMatchObject({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it.each([
    ['a whsec_ secret', secret, new Webhook(secret)],
    [
      'a plain text, umlauts included',
      'größere geheime Wörter'.replaceAll(' ', '-'),
      new Webhook(Buffer.from('größere-geheime-Wörter'), { format: 'raw' }),
    ],
    ['a secret that ends in a line end', `${secret}\n`, new Webhook(secret)],
  ])('of %s is what the scheme’s library verifies', (_name, value, verifier) => {
    const body = webhook.render(content([image([change(1)])]));
    const { headers } = webhook.request({ deliveryId: 'd1', url, body, secret: value, now: new Date() });
    expect(verifier.verify(body, { ...headers })).toEqual(JSON.parse(body));
    expect(() => verifier.verify(`${body} `, { ...headers })).toThrow('No matching signature');
  });

  it('is made with both secrets while one is brought in', () => {
    const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const attempt = { deliveryId: 'd1', url, body: '{}', secret: `${other} ${secret}`, now: new Date() };
    const { headers } = webhook.request(attempt);
    for (const key of [secret, other]) expect(new Webhook(key).verify('{}', { ...headers })).toEqual({});
  });

  it.each([
    ['an empty secret', ''],
    ['a short text', 'hunter2'],
    ['a short key', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['base64 that is none', 'whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'],
  ])('is refused for %s, without telling the secret', (_name, value) => {
    const attempt = { deliveryId: 'd1', url, body: '{}', secret: value, now: new Date() };
    expect(() => webhook.request(attempt)).toThrow(
      expect.objectContaining({
        code: 'INVALID_SETTING',
        message: expect.not.stringContaining(value || 'hunter2'),
      }),
    );
  });

  it('of a repeat is new, while id and body stay', () => {
    const attempt = { deliveryId: 'd1', url, body: '{}', secret };
    const first = webhook.request({ ...attempt, now: new Date(1_000_000) });
    const second = webhook.request({ ...attempt, now: new Date(2_000_000) });
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(second.body).toBe(first.body);
    expect(second.headers['webhook-timestamp']).not.toBe(first.headers['webhook-timestamp']);
    expect(second.headers['webhook-signature']).not.toBe(first.headers['webhook-signature']);
  });
});

describe('the body', () => {
  it('names subscription, image, changes, cause and links', () => {
    const fixed = change(1, { kind: 'finding.fix-available', fixedVersion: '2.0.0', after: '2.0.0' });
    expect(JSON.parse(webhook.render(content([image([fixed])])))).toEqual({
      type: 'verdict.changed',
      timestamp: '2026-03-01T12:00:00.000Z',
      data: {
        subscription: { id: 'sub1', name: 'Team A' },
        changeCount: 1,
        omitted: 0,
        links: { deliveries: 'https://plimsoll.example/api/subscriptions/sub1/deliveries' },
        images: [
          {
            place: { registry: 'contoso.azurecr.io', repository: 'team/app', environment: 'production' },
            digest,
            tag: 'v1',
            decision: { before: 'warn', after: 'fail' },
            cause: { kind: 'push' },
            links: {
              report: `https://plimsoll.example/api/images/${digest}/report?repository=contoso.azurecr.io%2Fteam%2Fapp&environment=production`,
            },
            omitted: 0,
            changes: [
              {
                id: 'id-1',
                kind: 'finding.fix-available',
                severity: 'high',
                advisory: 'CVE-2026-1',
                package: 'pkg:npm/x@1.0.1',
                fixedVersion: '2.0.0',
                before: null,
                after: '2.0.0',
                title: 'CVE-2026-1 (high) in pkg:npm/x@1.0.1',
              },
            ],
          },
        ],
      },
    });
  });

  it('of a test message says that it is one', () => {
    const { images: _, ...test } = content([]);
    expect(JSON.parse(webhook.render(test))).toMatchObject({
      type: 'subscription.test',
      data: { subscription: { id: 'sub1' } },
    });
  });

  it('keeps the decision and the gravest changes of 20,000, and counts the others', () => {
    const many = Array.from({ length: 20_000 }, (_, index) =>
      change(index, { severity: index % 1_000 === 999 ? 'critical' : 'low' }),
    );
    const decision = change(20_000, {
      kind: 'decision',
      subject: 'decision',
      title: 'verdict: fail, was warn',
    });
    const text = webhook.render(content([image([...many, decision])]));
    const { data } = read(text);
    const kept = data.images[0]?.changes ?? [];
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(20_000);
    expect(kept.filter((one) => one.severity === 'critical')).toHaveLength(20);
    expect(kept.map((one) => one.id)).toContain('id-20000');
    expect(kept.length).toBeGreaterThan(40);
    expect(data.omitted).toBe(20_001 - kept.length);
    expect(data.images[0]?.omitted).toBe(data.omitted);
  });

  it('of very many images names those with the gravest changes', () => {
    const images = Array.from({ length: 500 }, (_, index) =>
      image([change(index, { severity: index === 499 ? 'critical' : 'medium' })], `team/app-${index}`),
    );
    const text = webhook.render(content(images));
    const { data } = read(text);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(20_000);
    expect(data.images.map((one) => one.place.repository)).toContain('team/app-499');
    expect(data.images.length + data.omitted).toBe(500);
  });

  it('is always JSON under the limit, the same for the same content, and counts every change', () => {
    const text = fc.string({ unit: 'binary', maxLength: 2_000 });
    const changes = fc.array(
      fc.record({
        id: fc.uuid(),
        kind: fc.constantFrom(...changeKinds),
        subject: text,
        severity: fc.constantFrom(...severities),
        title: text,
        advisory: text,
        purl: text,
        fixedVersion: text,
        before: text,
        after: text,
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(
        fc.array(
          changes.map((list) => image(list)),
          { maxLength: 5 },
        ),
        (images) => {
          const body = webhook.render(content(images));
          const { data } = read(body);
          const kept = data.images.reduce((sum, one) => sum + one.changes.length, 0);
          expect(Buffer.byteLength(body)).toBeLessThanOrEqual(20_000);
          expect(webhook.render(content(images))).toBe(body);
          expect(kept + data.omitted).toBe(data.changeCount);
        },
      ),
      { numRuns: 50 },
    );
  });
});
