/** From what a registry told to messages on `image-events`: only configured registries get one that is acted on. */
import { createHash } from 'node:crypto';
import { findRegistry, type RegistrySettings } from '../domain/registry-setting.ts';
import type { ImageEvent } from '../pipeline/messages.ts';
import { newEnvelope } from '../pipeline/messages.ts';
import type { Queues } from '../ports/queue.ts';
import type { DeleteEvent, PushEvent, RegistryEvent } from '../webhooks/contract.ts';

export interface IntakeContext {
  readonly registries: RegistrySettings;
  readonly now: Date;
  /** What the body hashes to or is called: with the place in the body it names an event that has no id of its own. */
  readonly bodyId: string;
}

/** The messages of the events, each once; noise has none. What won't be scanned becomes an `ignored` message. */
export function imageEventsOf(
  events: readonly RegistryEvent[],
  context: IntakeContext,
): readonly ImageEvent[] {
  const messages = new Map<string, ImageEvent>();
  events.forEach((event, index) => {
    const message = messageOf(event, `${context.bodyId}.${index}`, context);
    // One push is often told several times in one batch; a twin would only be judged equal later.
    if (message !== undefined) messages.set(JSON.stringify(message), message);
  });
  return [...messages.values()];
}

/** A message that records why nothing was scanned. `seed` names the event, so that a repeat is the same record. */
export function ignoredEvent(
  seed: string,
  now: Date,
  why: {
    readonly reason: string;
    readonly detail: string;
    readonly registry?: string;
    readonly repository?: string;
  },
): ImageEvent {
  return { ...newEnvelope(now), kind: 'ignored', ...why, eventId: eventIdOf(seed) };
}

/** Sends the messages, a bounded number at a time; resolves once all are durable. Throws QUEUE_UNAVAILABLE: then some
 *  may have been sent, and the sender's repeat sends them again. */
export async function sendImageEvents(
  queues: Pick<Queues, 'send'>,
  messages: readonly ImageEvent[],
): Promise<void> {
  for (let start = 0; start < messages.length; start += maxSendsInFlight) {
    const batch = messages.slice(start, start + maxSendsInFlight);
    await Promise.all(batch.map((message) => queues.send('image-events', message)));
  }
}

/** Sends at one time of one notification: a large batch must not take all connections. */
const maxSendsInFlight = 16;

function messageOf(event: RegistryEvent, seed: string, context: IntakeContext): ImageEvent | undefined {
  switch (event.kind) {
    case 'noise':
      return undefined;
    case 'unusable': {
      const { kind: _kind, eventId, ...why } = event;
      return ignoredEvent(eventId ?? seed, context.now, why);
    }
    case 'push':
    case 'delete':
      return placedMessage(event, seed, context);
  }
}

function placedMessage(event: PushEvent | DeleteEvent, seed: string, context: IntakeContext): ImageEvent {
  const { repository } = event;
  const id = event.eventId ?? seed;
  if (event.registry === undefined) {
    const detail = 'expected the host of a registry in the notification, found none';
    return ignoredEvent(id, context.now, { reason: 'no-registry', detail, repository });
  }
  const registry = findRegistry(context.registries, event.registry);
  if (registry === undefined) {
    const detail = `${event.registry} is not configured: add it, or add it as an alias, in PLIMSOLL_REGISTRIES`;
    const why = { reason: 'unknown-registry', detail, registry: event.registry, repository };
    return ignoredEvent(id, context.now, why);
  }
  return {
    ...newEnvelope(context.now),
    kind: event.kind,
    registry: registry.host,
    repository,
    ...(event.tag === undefined ? {} : { tag: event.tag }),
    ...(event.digest === undefined ? {} : { digest: event.digest }),
  };
}

/** 40 hex digits: safe in a document id, whatever the sender calls its events. */
function eventIdOf(seed: string): string {
  return createHash('sha256').update(seed).digest('hex').slice(0, 40);
}
