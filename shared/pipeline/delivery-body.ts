/** The rendered body of a delivery and the signed request of one try, as the subscription's channel makes them. */
import { channelOf } from '../channels/registry.ts';
import type { Subscription } from '../domain/subscription.ts';
import type { OutgoingRequest } from '../ports/sender.ts';
import type { ChangeSet } from './change-set.ts';
import type { PipelineContext } from './context.ts';
import type { DeliveryDocument } from './state/deliveries.ts';

/** The body that tells these change sets; without any it is a test message. */
export function renderDelivery(
  context: PipelineContext,
  subscription: Subscription,
  sets: readonly ChangeSet[] | undefined,
): string {
  return channelOf().render({
    subscription: { id: subscription.id, name: subscription.name },
    timestamp: context.ports.clock.now().toISOString(),
    publicUrl: context.publicUrl,
    ...(sets === undefined ? {} : { images: sets }),
  });
}

/** The request of one try: same id and body as before, time and signature new. */
export function signDelivery(
  context: PipelineContext,
  subscription: Subscription,
  delivery: DeliveryDocument,
  secret: string,
): OutgoingRequest {
  const request = channelOf().request({
    deliveryId: delivery.deliveryId,
    url: subscription.url,
    body: delivery.body,
    secret,
    now: context.ports.clock.now(),
  });
  return { ...request, timeoutMs: context.timings.deliveryTimeoutMs };
}
