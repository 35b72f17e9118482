/** A test message for a subscription, delivered as any other. */
import type { Subscription } from '../domain/subscription.ts';
import type { PipelineContext } from './context.ts';
import { renderDelivery } from './delivery-body.ts';
import { type DeliveryJob, newEnvelope } from './messages.ts';
import { type DeliveryDocument, deliveryKey, deliveryTtlSeconds } from './state/deliveries.ts';

/** Creates and enqueues the delivery; returns its id. */
export async function sendTestMessage(context: PipelineContext, subscription: Subscription): Promise<string> {
  const { documents, queues, clock } = context.ports;
  const deliveryId = `msg_test_${context.newId()}`;
  const document: DeliveryDocument = {
    type: 'delivery',
    deliveryId,
    subscriptionId: subscription.id,
    status: 'pending',
    pairs: [],
    changeCount: 0,
    body: renderDelivery(context, subscription, undefined),
    tryNumber: 0,
    firstTry: 0,
    createdAt: clock.now().toISOString(),
    lastTry: null,
  };
  await documents.create(deliveryKey(subscription.id, deliveryId), document, {
    ttlSeconds: deliveryTtlSeconds,
  });
  await queues.send('deliveries', {
    ...newEnvelope(clock.now()),
    kind: 'send',
    subscriptionId: subscription.id,
    deliveryId,
    tryNumber: 0,
  } satisfies DeliveryJob);
  return deliveryId;
}
