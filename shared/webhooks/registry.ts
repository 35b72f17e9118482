/** Which kinds of registry notifications are understood. */
import { acrParser } from './acr.ts';
import type { ParsedNotification, WebhookParser } from './contract.ts';
import { distributionParser } from './distribution.ts';
import { eventGridParser } from './eventgrid.ts';

const parsers = {
  acr: acrParser,
  distribution: distributionParser,
  eventgrid: eventGridParser,
} as const satisfies Record<string, WebhookParser>;

export type WebhookKind = keyof typeof parsers;

/** All kinds, as they stand in the routes. */
export const webhookKinds = Object.keys(parsers) as readonly WebhookKind[];

/** What a notification of the kind tells. `body` is parsed JSON, for eventgrid also the text of a queue message. */
export function parseNotification(kind: WebhookKind, body: unknown): ParsedNotification {
  return parsers[kind].parse(body);
}
