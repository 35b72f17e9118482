/** Takes a message that Event Grid wrote to `registry-events` and puts what it tells on `image-events`. */
import { digestOf } from '../domain/digest.ts';
import type { RegistrySettings } from '../domain/registry-setting.ts';
import type { Clock } from '../ports/clock.ts';
import type { Queues } from '../ports/queue.ts';
import { parseNotification } from '../webhooks/registry.ts';
import { imageEventsOf, sendImageEvents } from './image-events.ts';

export interface ReceiveRegistryEventDeps {
  readonly registries: RegistrySettings;
  readonly queues: Pick<Queues, 'send'>;
  readonly clock: Clock;
}

/** `message` is the text of the queue message, plain or base64, or what the host parsed of it. Throws
 *  QUEUE_UNAVAILABLE: the message stays and comes again. */
export async function receiveRegistryEvent(message: unknown, deps: ReceiveRegistryEventDeps): Promise<void> {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  const { events } = parseNotification('eventgrid', message);
  const context = { registries: deps.registries, now: deps.clock.now(), bodyId: digestOf(text ?? '') };
  await sendImageEvents(deps.queues, imageEventsOf(events, context));
}
