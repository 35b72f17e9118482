/** Takes a registry's push notification: authenticates, parses, enqueues, answers. It calls no registry. */
import { PlimsollError } from '../domain/errors.ts';
import type { RegistrySettings } from '../domain/registry-setting.ts';
import type { ImageEvent } from '../pipeline/messages.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Queues } from '../ports/queue.ts';
import { parseNotification } from '../webhooks/registry.ts';
import {
  type ApiRequest,
  type ApiResponse,
  type BodyReading,
  isLargerThan,
  json,
  parseJson,
  readBody,
} from './http.ts';
import { ignoredEvent, imageEventsOf, sendImageEvents } from './image-events.ts';
import { problem, problemOf } from './problem.ts';
import type { WebhookTokens } from './webhook-tokens.ts';

export interface ReceiveWebhookDeps {
  readonly registries: RegistrySettings;
  readonly tokens: WebhookTokens;
  readonly queues: Pick<Queues, 'send'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Kinds that come over HTTP with a token; the others come by other ways. */
export type ReceivedKind = 'acr' | 'distribution';

/** Largest notification in bytes. Distribution sends one event at a time; this is room for a full batch of thousands. */
export const maxNotificationBytes = 8 * 1024 * 1024;

/**
 * 202 with the right token, whatever the body says: what will not be scanned is enqueued as `ignored`, because
 * Distribution sends a refused envelope for ever and holds every later push behind it. Without the right token 401, or
 * 413 where the body is too large; 503 where token or queue can't be reached.
 */
export async function receiveWebhook(
  kind: ReceivedKind,
  request: ApiRequest,
  deps: ReceiveWebhookDeps,
): Promise<ApiResponse> {
  try {
    if (!(await isAuthenticated(request, deps))) return await refuse(kind, request, deps);
    const messages = messagesOf(kind, await readBody(request.body, maxNotificationBytes), deps);
    await sendImageEvents(deps.queues, messages);
    const ignored = messages.filter((message) => message.kind === 'ignored').length;
    if (ignored > 0) deps.log.warn('webhook.ignored', { kind, ignored });
    return json(202, { accepted: messages.length - ignored, ignored });
  } catch (error) {
    if (!(error instanceof PlimsollError && error.retryable)) throw error;
    deps.log.error('webhook.unavailable', { kind, code: error.code });
    return problemOf(error);
  }
}

async function isAuthenticated(request: ApiRequest, deps: ReceiveWebhookDeps): Promise<boolean> {
  const presented = /^Bearer +(\S+) *$/i.exec(request.headers['authorization'] ?? '')?.[1];
  if (presented === undefined) return false;
  const { registries, loopback } = deps.registries;
  const names = [...registries, ...(loopback === undefined ? [] : [loopback])].flatMap((registry) =>
    registry.webhookTokenSecret === undefined ? [] : [registry.webhookTokenSecret],
  );
  // Any registry's token will do: what it names is asked of a configured registry before it counts.
  return deps.tokens.verify(names, presented);
}

async function refuse(
  kind: ReceivedKind,
  request: ApiRequest,
  deps: ReceiveWebhookDeps,
): Promise<ApiResponse> {
  deps.log.warn('webhook.refused', { kind });
  if (await isLargerThan(request, maxNotificationBytes)) {
    return problem(
      413,
      'TOO_LARGE',
      `expected a body of at most ${maxNotificationBytes} bytes, found a larger one`,
    );
  }
  const detail =
    'expected "Authorization: Bearer <token>" with the webhook token of a configured registry, found none or another';
  return problem(401, 'UNAUTHORIZED', detail, { headers: { 'www-authenticate': 'Bearer' } });
}

function messagesOf(
  kind: ReceivedKind,
  reading: BodyReading,
  deps: ReceiveWebhookDeps,
): readonly ImageEvent[] {
  const now = deps.clock.now();
  if (reading.bytes === undefined) {
    const detail = `expected at most ${maxNotificationBytes} bytes, found more: let the registry send fewer events at once`;
    return [ignoredEvent(reading.sha256, now, { reason: 'too-large', detail })];
  }
  const parsed = parseJson(reading.bytes);
  if (parsed === undefined) {
    const detail = `expected JSON from the ${kind} webhook, found ${reading.bytes.byteLength} bytes of something else`;
    return [ignoredEvent(reading.sha256, now, { reason: 'malformed-json', detail })];
  }
  const { events } = parseNotification(kind, parsed.value);
  return imageEventsOf(events, { registries: deps.registries, now, bodyId: reading.sha256 });
}
