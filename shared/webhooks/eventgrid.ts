/** Events of Azure Container Registry as Event Grid delivers them: Event Grid's schema and CloudEvents 1.0. */
import { z } from 'zod';
import {
  imageEvent,
  malformed,
  type ParsedNotification,
  type RegistryEvent,
  readEvents,
  registryNoticeSchema,
  shown,
  unusable,
  type WebhookParser,
} from './contract.ts';

/**
 * One event or a list of them, as parsed JSON or as the text of a queue message (plain or base64: Event Grid has
 * written both). The topic is not compared with the host: whatever is named here is asked of a configured registry
 * before it counts.
 */
export const eventGridParser: WebhookParser = { kind: 'eventgrid', parse };

/** `type` stands in CloudEvents, `eventType` in Event Grid's own schema. */
const envelopeSchema = z.object({
  id: z.string().max(1_024).nullish(),
  type: z.string().max(1_024).nullish(),
  eventType: z.string().max(1_024).nullish(),
  data: z.unknown(),
});

function parse(body: unknown): ParsedNotification {
  const value = typeof body === 'string' ? decode(body) : body;
  if (value === undefined) {
    const detail = 'expected JSON or base64 of JSON, found neither';
    return { events: [unusable('malformed-body', detail)] };
  }
  return readEvents(Array.isArray(value) ? value : [value], readEvent);
}

/** The JSON of a message; undefined where there is none. */
function decode(text: string): unknown {
  const trimmed = text.trim();
  const isPlain = trimmed.startsWith('{') || trimmed.startsWith('[');
  const json = isPlain ? trimmed : Buffer.from(trimmed, 'base64').toString();
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readEvent(event: unknown): RegistryEvent {
  const envelope = envelopeSchema.safeParse(event);
  if (!envelope.success) return malformed('malformed-event', envelope.error);
  const type = envelope.data.eventType || envelope.data.type || '';
  // The documentation writes the bare name in one place and the full one in others.
  switch (type.slice(type.lastIndexOf('.') + 1)) {
    case 'ImagePushed':
      return readData('push', envelope.data);
    case 'ImageDeleted':
      return readData('delete', envelope.data);
    case 'ChartPushed':
    case 'ChartDeleted':
      return unusable(
        'helm-chart',
        `${shown(type)} is about a Helm chart of the legacy kind, which is no image`,
      );
    // Its validationUrl is never called from here: it is a URL from outside.
    case 'SubscriptionValidationEvent':
    case 'SubscriptionDeletedEvent':
      return { kind: 'noise', reason: 'handshake' };
    default:
      return unusable(
        'unknown-action',
        `expected ImagePushed or ImageDeleted, found the type ${shown(type)}`,
      );
  }
}

function readData(kind: 'push' | 'delete', envelope: z.infer<typeof envelopeSchema>): RegistryEvent {
  const data = registryNoticeSchema.safeParse(envelope.data);
  if (!data.success) return malformed('malformed-event', data.error);
  // The envelope's id repeats on redelivery and names this event; data.id is the registry's own.
  return imageEvent(kind, { ...data.data, id: envelope.id || data.data.id });
}
