/** Which channels there are. */
import type { Channel } from './contract.ts';
import { webhookChannel } from './webhook.ts';

const channels = { webhook: webhookChannel } as const satisfies Record<string, Channel>;

export type ChannelKind = keyof typeof channels;

/** The channel of a kind; subscriptions that name none use the signed webhook. */
export function channelOf(kind: ChannelKind = 'webhook'): Channel {
  return channels[kind];
}
