/** Parsers of registry notifications over hand-made events in the shapes that the vendors document. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxEventsPerNotification, type RegistryEvent } from '../../shared/webhooks/contract.ts';
import { parseNotification, type WebhookKind, webhookKinds } from '../../shared/webhooks/registry.ts';

const digest = `sha256:${'a1'.repeat(32)}`;
const indexType = 'application/vnd.oci.image.index.v1+json';

/** ACR webhook reference, "push event", with the documented fields that are not used. */
const acrPush = {
  id: 'cb8c3971-9adc-488b-bdd8-43cbb4974ff5',
  timestamp: '2026-01-15T21:20:01.123456789Z',
  action: 'push',
  target: { mediaType: indexType, size: 524, length: 524, digest, repository: 'team/app', tag: 'v1' },
  request: { id: 'a9fb', host: 'MyReg.azurecr.io', method: 'PUT', useragent: 'docker/27' },
};
const pushed = {
  kind: 'push',
  registry: 'myreg.azurecr.io',
  repository: 'team/app',
  tag: 'v1',
  digest,
  mediaType: indexType,
  eventId: acrPush.id,
};
const where = { registry: 'myreg.azurecr.io', repository: 'team/app', eventId: acrPush.id };

function acr(target: object, rest: object = {}): object {
  return { ...acrPush, ...rest, target: { ...acrPush.target, ...target } };
}

function only(kind: WebhookKind, body: unknown): RegistryEvent | undefined {
  const { events } = parseNotification(kind, body);
  expect(events).toHaveLength(1);
  return events[0];
}

describe('ACR webhooks', () => {
  it.each<[string, unknown, object]>([
    ['a push of a tag', acrPush, pushed],
    [
      'a push by digest alone',
      acr({ tag: undefined }),
      { ...where, kind: 'push', digest, mediaType: indexType },
    ],
    ['a push with an empty tag', acr({ tag: '' }), { ...where, kind: 'push', digest, mediaType: indexType }],
    [
      'a quarantined push without a media type',
      acr({ mediaType: undefined }, { action: 'quarantine' }),
      { ...where, kind: 'push', tag: 'v1', digest },
    ],
    [
      'a deleted manifest',
      { ...acrPush, action: 'delete', target: { mediaType: indexType, digest, repository: 'team/app' } },
      { ...where, kind: 'delete', digest },
    ],
    [
      'a deleted repository',
      { ...acrPush, action: 'delete', target: { repository: 'team/app' } },
      { ...where, kind: 'delete' },
    ],
    ['a ping by its action', { id: 'x', action: 'ping' }, { kind: 'noise', reason: 'ping' }],
    ['a ping without anything', {}, { kind: 'noise', reason: 'ping' }],
    ['a push whose host is unknown', { ...acrPush, request: undefined }, { ...pushed, registry: undefined }],
    [
      'a push whose helpful fields have other types',
      acr({ mediaType: 5, url: [] }, { id: {}, request: { ...acrPush.request, useragent: 1 } }),
      { ...where, kind: 'push', tag: 'v1', digest, eventId: undefined },
    ],
    [
      'a tag with a digest that is no sha256, of which the tag stays',
      acr({ digest: `sha512:${'a'.repeat(128)}` }),
      { ...where, kind: 'push', tag: 'v1', mediaType: indexType },
    ],
  ])('reads %s', (_name, body, event) => {
    expect(only('acr', body)).toEqual(event);
  });

  it.each<[string, unknown, string]>([
    ['a legacy chart', { action: 'chart_push', target: { repository: 'charts/app' } }, 'helm-chart'],
    ['a legacy chart that is deleted', { action: 'chart_delete', target: {} }, 'helm-chart'],
    ['an action of the future', { ...acrPush, action: 'purge' }, 'unknown-action'],
    ['a push without a target', { action: 'push' }, 'invalid-repository'],
    ['a repository with upper case', acr({ repository: 'Team/App' }), 'invalid-repository'],
    ['a repository that climbs', acr({ repository: '../../etc' }), 'invalid-repository'],
    ['a repository that is no text', acr({ repository: 7 }), 'malformed-body'],
    ['a host with a path', { ...acrPush, request: { host: 'evil/x@y' } }, 'invalid-registry'],
    ['neither tag nor digest', acr({ tag: undefined, digest: undefined }), 'no-tag-or-digest'],
    ['a digest alone that is no sha256', acr({ tag: undefined, digest: 'sha512:00' }), 'unsupported-digest'],
    [
      'a delete of a digest that is no sha256, which is no delete of the repository',
      acr({ tag: undefined, digest: 'sha512:00' }, { action: 'delete' }),
      'unsupported-digest',
    ],
    [
      'a delete of a tag that can be none, which is no delete of the repository',
      acr({ tag: '-x', digest: undefined }, { action: 'delete' }),
      'no-tag-or-digest',
    ],
    ['a list', [acrPush], 'malformed-body'],
    ['null', null, 'malformed-body'],
    ['a text', 'push', 'malformed-body'],
  ])('records %s with a reason', (_name, body, reason) => {
    expect(only('acr', body)).toMatchObject({ kind: 'unusable', reason });
  });
});

describe('Distribution notifications', () => {
  const url = `http://reg.example:5000/v2/team/app/manifests/${digest}`;

  it.each<[string, object, object]>([
    [
      'the host of the target URL where the request names none',
      { ...acrPush, request: undefined, target: { ...acrPush.target, url } },
      { ...pushed, registry: 'reg.example:5000' },
    ],
    [
      'a manifest under a type of the future by its URL',
      acr({ mediaType: 'application/vnd.future+json', tag: undefined, url }),
      { ...where, kind: 'push', digest, mediaType: 'application/vnd.future+json' },
    ],
    [
      'a push without a media type as an image until the manifest is read',
      acr({ mediaType: undefined, tag: undefined }),
      { ...where, kind: 'push', digest },
    ],
    [
      'a repository whose name looks like a blob address',
      acr({
        repository: 'team/blobs',
        url: `https://r.example/v2/team/blobs/manifests/${digest}`,
      }),
      { ...pushed, repository: 'team/blobs' },
    ],
    [
      'a blob under a manifest type by its URL',
      acr({ url: `https://r.example/v2/team/app/blobs/${digest}` }),
      { kind: 'noise', reason: 'blob' },
    ],
    [
      'a layer by its type where there is no URL',
      acr({ tag: undefined, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' }),
      { kind: 'noise', reason: 'blob' },
    ],
  ])('reads %s', (_name, event, expected) => {
    expect(only('distribution', { events: [event] })).toEqual(expected);
  });

  it('reads every event of an envelope, and one that is broken spoils no other', () => {
    const events = [acrPush, null, { action: 'rename' }, { ...acrPush, target: { tag: 1 } }, acrPush];
    expect(parseNotification('distribution', { events }).events).toMatchObject([
      pushed,
      { kind: 'unusable', reason: 'malformed-event' },
      { kind: 'unusable', reason: 'unknown-action' },
      { kind: 'unusable', reason: 'malformed-event' },
      pushed,
    ]);
  });

  it('reads no more events than the limit and tells of the rest', () => {
    const events = Array.from({ length: maxEventsPerNotification + 2 }, () => acrPush);
    const read = parseNotification('distribution', { events }).events;
    expect(read).toHaveLength(maxEventsPerNotification + 1);
    expect(read.at(-1)).toMatchObject({ kind: 'unusable', reason: 'too-many-events' });
  });

  it('records an envelope without events', () => {
    expect(only('distribution', {})).toMatchObject({ kind: 'unusable', reason: 'malformed-body' });
    expect(only('distribution', { events: {} })).toMatchObject({ reason: 'malformed-body' });
  });

  it('an envelope with no event is nothing to do', () => {
    expect(parseNotification('distribution', { events: [] }).events).toEqual([]);
  });
});

describe('Event Grid events', () => {
  const data = {
    ...acrPush,
    location: 'westeurope',
    actor: { name: 'ci' },
    connectedRegistry: { name: 'x' },
  };
  const own = {
    id: '831e1650-001e-001b-66ab-eeb76e069631',
    topic: '/subscriptions/0/resourceGroups/r/providers/Microsoft.ContainerRegistry/registries/myreg',
    subject: 'team/app:v1',
    eventType: 'Microsoft.ContainerRegistry.ImagePushed',
    eventTime: '2026-01-15T21:20:01Z',
    dataVersion: '1.0',
    metadataVersion: '1',
    data,
  };
  const cloud = {
    specversion: '1.0',
    id: own.id,
    source: own.topic,
    subject: own.subject,
    type: own.eventType,
    time: own.eventTime,
    data,
  };
  const event = { ...pushed, eventId: own.id };
  const text = JSON.stringify(own);
  const base64 = Buffer.from(JSON.stringify(cloud)).toString('base64');

  it.each<[string, unknown, readonly object[]]>([
    ["Event Grid's own schema as a list", [own], [event]],
    ["Event Grid's own schema as one object", own, [event]],
    ['CloudEvents as one object', cloud, [event]],
    ['CloudEvents as a batch', [cloud, cloud], [event, event]],
    ['the plain text of a queue message', ` ${text}`, [event]],
    ['the base64 text of a queue message', base64, [event]],
    ['the base64 text of a list', Buffer.from(`[${text}]`).toString('base64'), [event]],
    ['a bare event type as the documentation shows it', { ...own, eventType: 'ImagePushed' }, [event]],
    [
      'a deleted image',
      {
        ...own,
        eventType: 'Microsoft.ContainerRegistry.ImageDeleted',
        data: { ...data, action: 'delete', target: { digest, repository: 'team/app' } },
      },
      [{ ...where, kind: 'delete', digest, eventId: own.id }],
    ],
    [
      'a validation request, whose URL is not called',
      [
        {
          ...own,
          eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
          data: { validationCode: '512d38b6', validationUrl: 'https://127.0.0.1/x' },
        },
      ],
      [{ kind: 'noise', reason: 'handshake' }],
    ],
  ])('reads %s', (_name, body, events) => {
    expect(parseNotification('eventgrid', body).events).toEqual(events);
  });

  it.each<[string, unknown, string]>([
    ['a chart', { ...own, eventType: 'Microsoft.ContainerRegistry.ChartPushed' }, 'helm-chart'],
    ['an event of another service', { ...own, eventType: 'Microsoft.Storage.BlobCreated' }, 'unknown-action'],
    ['an event without data', { ...own, data: undefined }, 'malformed-event'],
    ['a text that is no base64', '§§§', 'malformed-body'],
    ['base64 of something else', 'aGVsbG8=', 'malformed-body'],
    ['broken JSON', '{"id":', 'malformed-body'],
    ['an empty message', '', 'malformed-body'],
    ['a number', 5, 'malformed-event'],
  ])('records %s with a reason', (_name, body, reason) => {
    expect(only('eventgrid', body)).toMatchObject({ kind: 'unusable', reason });
  });
});

describe('every parser', () => {
  it.each(webhookKinds)('%s never throws, and what it calls a push names what to look at', (kind) => {
    const near = fc.record(
      {
        action: fc.oneof(fc.constantFrom('push', 'delete', 'quarantine', 'ping', 'pull'), fc.anything()),
        eventType: fc.oneof(fc.constantFrom('ImagePushed', 'ImageDeleted'), fc.anything()),
        target: fc.oneof(
          fc.record(
            { repository: fc.string(), tag: fc.string(), digest: fc.string(), url: fc.string() },
            { requiredKeys: [] },
          ),
          fc.anything(),
        ),
        data: fc.anything(),
        events: fc.oneof(fc.array(fc.anything()), fc.anything()),
        ['__proto__']: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), near, fc.array(near), fc.string()), (body) => {
        for (const event of parseNotification(kind, body).events) {
          if (event.kind === 'push') expect(event.tag ?? event.digest).toBeDefined();
        }
      }),
    );
  });

  it('shows no more of a hostile text than fits into a message', () => {
    const event = only('acr', acr({ repository: `\u0007${'x'.repeat(2_000)}` }));
    expect(event).toMatchObject({ kind: 'unusable' });
    expect(JSON.stringify(event).length).toBeLessThan(600);
    expect(JSON.stringify(event)).not.toContain('\u0007');
  });
});
