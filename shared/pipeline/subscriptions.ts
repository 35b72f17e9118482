/** Subscriptions as stored: read anew at every send, because a deleted one must not be told. */
import type { Subscription } from '../domain/subscription.ts';
import type { PipelineContext } from './context.ts';
import { listAll } from './list-all.ts';
import { subscriptionKey, subscriptionsPartition } from './state/config.ts';

/** A subscription with its document's type. */
export type SubscriptionDocument = Subscription & { readonly type: 'subscription' };

const subscriptionsPerPage = 200;
/** Most subscriptions of one installation; creating more is refused. */
export const maxSubscriptions = 2_000;

/** All subscriptions in order of id. */
export async function listSubscriptions(context: PipelineContext): Promise<readonly Subscription[]> {
  const found: Subscription[] = [];
  for await (const { value } of listAll<SubscriptionDocument>(context.ports.documents, {
    container: 'config',
    partition: subscriptionsPartition,
    type: 'subscription',
    limit: subscriptionsPerPage,
  })) {
    found.push(value);
    if (found.length === maxSubscriptions) break;
  }
  return found;
}

/** The subscription, or undefined where it was deleted. */
export async function readSubscription(
  context: PipelineContext,
  id: string,
): Promise<Subscription | undefined> {
  return (await context.ports.documents.read<SubscriptionDocument>(subscriptionKey(id)))?.value;
}
