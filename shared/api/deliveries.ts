/** `/api/subscriptions/{id}/deliveries`: what was told to a subscription, and telling it again. */
import { PlimsollError } from '../domain/errors.ts';
import { driveDelivery } from '../pipeline/deliver.ts';
import type { DeliveryDocument } from '../pipeline/state/deliveries.ts';
import type { ApiContext } from './context.ts';
import { type ApiRequest, type ApiResponse, json } from './http.ts';
import { page, readPage } from './paging.ts';
import { readId } from './subscriptions.ts';

const statuses: ReadonlySet<string> = new Set<DeliveryDocument['status']>([
  'pending',
  'delivered',
  'failed',
  'cancelled',
]);

/** In order of id, also those of a deleted subscription; `status` narrows it. */
export async function listDeliveries(request: ApiRequest, { pipeline }: ApiContext): Promise<ApiResponse> {
  const { status } = request.query;
  if (status !== undefined && !statuses.has(status)) {
    throw new PlimsollError('INVALID_INPUT', `status: expected one of ${[...statuses].join(', ')}`);
  }
  const found = await pipeline.ports.documents.list<DeliveryDocument>({
    container: 'deliveries',
    partition: readId(request),
    type: 'delivery',
    ...(status === undefined ? {} : { equals: { status } }),
    ...readPage(request),
  });
  return page(
    found.items.map((item) => viewDelivery(item.value)),
    found.cursor,
  );
}

/** 202: the delivery is tried again under its own id and with its own body. */
export async function retryDelivery(request: ApiRequest, { pipeline }: ApiContext): Promise<ApiResponse> {
  const subscriptionId = readId(request);
  const deliveryId = readId(request, 'deliveryId');
  if (!(await driveDelivery(pipeline, subscriptionId, deliveryId))) {
    throw new PlimsollError('NOT_FOUND', `there is no delivery ${deliveryId}: they are kept for 30 days`);
  }
  return json(202, { deliveryId });
}

function viewDelivery(delivery: DeliveryDocument): object {
  const { deliveryId, subscriptionId, status, changeCount, tryNumber, createdAt, lastTry } = delivery;
  // The name of a changes blob starts with the hex digits of the image's digest.
  const digests = [...new Set(delivery.pairs.map((pair) => `sha256:${pair.split('/', 1)[0]}`))];
  return { deliveryId, subscriptionId, status, changeCount, tryNumber, createdAt, lastTry, digests };
}
