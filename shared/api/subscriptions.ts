/** `/api/subscriptions`: create, list, read, delete, send a test message. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { hostNameOf, isLoopbackHost } from '../base/addresses.ts';
import { isPublicAddress } from '../base/public-address.ts';
import { changeKinds } from '../domain/change.ts';
import { PlimsollError } from '../domain/errors.ts';
import { severities } from '../domain/severity.ts';
import { type Subscription, subscriptionSecretPrefix } from '../domain/subscription.ts';
import { subscriptionKey, subscriptionsPartition } from '../pipeline/state/config.ts';
import {
  listSubscriptions as listAllSubscriptions,
  maxSubscriptions,
  readSubscription,
  type SubscriptionDocument,
} from '../pipeline/subscriptions.ts';
import { sendTestMessage } from '../pipeline/test-delivery.ts';
import type { Caller } from '../ports/caller.ts';
import type { ApiContext } from './context.ts';
import { type ApiRequest, type ApiResponse, json, noContent, readJsonBody } from './http.ts';
import { page, readPage } from './paging.ts';

/** Strict: a property that is not known, such as a secret's value, is refused rather than passed over. */
const subscriptionSchema = z.strictObject({
  name: z.string().trim().min(1).max(100),
  repositories: z
    .string()
    .max(300)
    .regex(
      /^[a-zA-Z0-9._:[\]/*-]+$/,
      'expected a glob over registry/repository, such as contoso.azurecr.io/team/*',
    ),
  kinds: z.array(z.enum(changeKinds)).min(1).max(changeKinds.length).optional(),
  minSeverity: z.enum(severities).optional(),
  url: z.string().max(2_000),
  secretName: z
    .string()
    .regex(
      new RegExp(`^${subscriptionSecretPrefix}[0-9A-Za-z-]{1,100}$`),
      `expected the name of a secret that starts with ${subscriptionSecretPrefix}`,
    ),
});

/** 201 with the subscription. */
export async function createSubscription(
  request: ApiRequest,
  context: ApiContext,
  caller: Caller,
): Promise<ApiResponse> {
  const { pipeline } = context;
  const input = await readJsonBody(request, subscriptionSchema);
  const url = checkReceiver(input.url, pipeline.registries.loopback !== undefined);
  if ((await listAllSubscriptions(pipeline)).length >= maxSubscriptions) {
    throw new PlimsollError(
      'CONFLICT',
      `there are ${maxSubscriptions} subscriptions already: delete some first`,
    );
  }
  const subscription: Subscription = {
    id: pipeline.newId(),
    name: input.name,
    repositories: input.repositories,
    ...(input.kinds === undefined ? {} : { kinds: input.kinds }),
    ...(input.minSeverity === undefined ? {} : { minSeverity: input.minSeverity }),
    url,
    secretName: input.secretName,
    createdBy: caller.id,
    createdAt: pipeline.ports.clock.now().toISOString(),
  };
  const document: SubscriptionDocument = { type: 'subscription', ...subscription };
  if ((await pipeline.ports.documents.create(subscriptionKey(subscription.id), document)) === undefined) {
    throw new PlimsollError('CONFLICT', `a subscription ${subscription.id} exists: try again`);
  }
  return json(201, subscription, { location: `/api/subscriptions/${subscription.id}` });
}

/** In order of id. */
export async function listSubscriptions(request: ApiRequest, { pipeline }: ApiContext): Promise<ApiResponse> {
  const found = await pipeline.ports.documents.list<SubscriptionDocument>({
    container: 'config',
    partition: subscriptionsPartition,
    type: 'subscription',
    ...readPage(request),
  });
  return page(
    found.items.map((item) => withoutType(item.value)),
    found.cursor,
  );
}

export async function getSubscription(request: ApiRequest, context: ApiContext): Promise<ApiResponse> {
  return json(200, withoutType(await requireSubscription(request, context)));
}

/** 204. Deliveries under way end as cancelled. */
export async function deleteSubscription(
  request: ApiRequest,
  { pipeline }: ApiContext,
): Promise<ApiResponse> {
  const id = readId(request);
  if (!(await pipeline.ports.documents.remove(subscriptionKey(id)))) throw unknownSubscription(id);
  return noContent();
}

/** 202 with the delivery's id; what became of it stands among the deliveries. */
export async function testSubscription(request: ApiRequest, context: ApiContext): Promise<ApiResponse> {
  const subscription = await requireSubscription(request, context);
  const deliveryId = await sendTestMessage(context.pipeline, subscription);
  const location = `/api/subscriptions/${subscription.id}/deliveries`;
  return json(202, { deliveryId }, { location });
}

/** The id in the path. Throws NOT_FOUND where it can be none, so that it is safe in a document's id. */
export function readId(request: ApiRequest, name = 'id'): string {
  const id = request.params[name] ?? '';
  if (!/^[0-9A-Za-z_-]{1,100}$/.test(id))
    throw new PlimsollError('NOT_FOUND', `there is nothing with this ${name}`);
  return id;
}

/** The URL in its normal form. What it resolves to is checked at every send; here it is told what can never work.
 *  Throws INVALID_INPUT, RECEIVER_REFUSED. */
function checkReceiver(text: string, allowLoopback: boolean): string {
  const url = URL.parse(text);
  if (url === null) throw new PlimsollError('INVALID_INPUT', 'url: expected an absolute https URL');
  const isLoopback = allowLoopback && isLoopbackHost(url.host);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new PlimsollError('INVALID_INPUT', `url: expected https, found ${url.protocol.slice(0, 20)}`);
  }
  // The API takes no secret, and in these three places people put some: documents and lists would show them.
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new PlimsollError(
      'INVALID_INPUT',
      'url: expected no user, query and fragment: the signature proves who sends, so the URL needs no secret',
    );
  }
  const address = hostNameOf(url.hostname);
  const isLocalName = isLoopbackHost(url.host) && !isLoopback;
  if (isLocalName || (isIP(address) !== 0 && !isLoopback && !isPublicAddress(address))) {
    throw new PlimsollError(
      'RECEIVER_REFUSED',
      `url: expected a public address, found ${url.host.slice(0, 300)}`,
    );
  }
  return url.href;
}

async function requireSubscription(request: ApiRequest, { pipeline }: ApiContext): Promise<Subscription> {
  const id = readId(request);
  const subscription = await readSubscription(pipeline, id);
  if (subscription === undefined) throw unknownSubscription(id);
  return subscription;
}

function unknownSubscription(id: string): PlimsollError {
  return new PlimsollError('NOT_FOUND', `there is no subscription ${id}`);
}

/** Only what the API promises: the store may add properties of its own. */
function withoutType(stored: Subscription): Subscription {
  const { id, name, repositories, kinds, minSeverity, url, secretName, createdBy, createdAt } = stored;
  return {
    id,
    name,
    repositories,
    ...(kinds === undefined ? {} : { kinds }),
    ...(minSeverity === undefined ? {} : { minSeverity }),
    url,
    secretName,
    createdBy,
    createdAt,
  };
}
