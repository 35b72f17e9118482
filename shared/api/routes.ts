/** Every route of the API with who may call it; functions/ binds each to a trigger. */
import { PlimsollError } from '../domain/errors.ts';
import type { Caller, Role } from '../ports/caller.ts';
import type { ApiContext } from './context.ts';
import { listDeliveries, retryDelivery } from './deliveries.ts';
import { askGate } from './gate.ts';
import { getHealth } from './health.ts';
import type { ApiRequest, ApiResponse } from './http.ts';
import { getImage, getReport } from './images.ts';
import { listIntake } from './intake.ts';
import { listImages } from './list-images.ts';
import { problem, problemOf } from './problem.ts';
import { type ReceivedKind, receiveWebhook } from './receive-webhook.ts';
import { createScan } from './scans.ts';
import {
  createSubscription,
  deleteSubscription,
  getSubscription,
  listSubscriptions,
  testSubscription,
} from './subscriptions.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Under /api/, with parameters in braces. */
  readonly path: string;
  /** Roles of which the caller must have one; `open` where the route checks by itself who asks. */
  readonly access: readonly Role[] | 'open';
  handle(request: ApiRequest, context: ApiContext, caller: Caller): Promise<ApiResponse>;
}

const readers: readonly Role[] = ['reader', 'operator', 'administrator'];
const operators: readonly Role[] = ['operator', 'administrator'];

export const routes = {
  receiveAcr: webhook('acr'),
  receiveDistribution: webhook('distribution'),
  getHealth: { method: 'GET', path: 'health', access: 'open', handle: getHealth },
  createScan: { method: 'POST', path: 'scans', access: operators, handle: createScan },
  listImages: { method: 'GET', path: 'images', access: readers, handle: listImages },
  getImage: { method: 'GET', path: 'images/{digest}', access: readers, handle: getImage },
  getReport: { method: 'GET', path: 'images/{digest}/report', access: readers, handle: getReport },
  askGate: { method: 'GET', path: 'gate', access: readers, handle: askGate },
  listIntake: { method: 'GET', path: 'intake', access: readers, handle: listIntake },
  createSubscription: {
    method: 'POST',
    path: 'subscriptions',
    access: operators,
    handle: createSubscription,
  },
  listSubscriptions: { method: 'GET', path: 'subscriptions', access: readers, handle: listSubscriptions },
  getSubscription: { method: 'GET', path: 'subscriptions/{id}', access: readers, handle: getSubscription },
  deleteSubscription: {
    method: 'DELETE',
    path: 'subscriptions/{id}',
    access: operators,
    handle: deleteSubscription,
  },
  testSubscription: {
    method: 'POST',
    path: 'subscriptions/{id}/test',
    access: operators,
    handle: testSubscription,
  },
  listDeliveries: {
    method: 'GET',
    path: 'subscriptions/{id}/deliveries',
    access: readers,
    handle: listDeliveries,
  },
  retryDelivery: {
    method: 'POST',
    path: 'subscriptions/{id}/deliveries/{deliveryId}/retry',
    access: operators,
    handle: retryDelivery,
  },
} as const satisfies Record<string, Route>;

/** The response of a route. Never rejects: what went wrong is a problem document, and what nobody foresaw is logged
 *  and answered 500 without a word about its insides. */
export async function answer(route: Route, request: ApiRequest, context: ApiContext): Promise<ApiResponse> {
  try {
    const caller = route.access === 'open' ? nobody : await context.callers.identify(request.headers);
    if (caller === undefined) {
      const detail = 'expected a caller whom the app has verified, found none';
      return problem(401, 'UNAUTHORIZED', detail, { headers: { 'www-authenticate': 'Bearer' } });
    }
    if (route.access !== 'open' && !route.access.some((role) => caller.roles.includes(role))) {
      return problem(
        403,
        'FORBIDDEN',
        `expected one of the roles ${route.access.join(', ')}, found none of them`,
      );
    }
    return await route.handle(request, context, caller);
  } catch (error) {
    const { log } = context.pipeline.ports;
    if (error instanceof PlimsollError) {
      const response = problemOf(error);
      if (response.status >= 500) log.error('api.failed', { path: route.path, code: error.code });
      return response;
    }
    log.error('api.failed', { path: route.path, error: String(error) });
    return problem(500, 'INTERNAL', 'something failed that nobody foresaw; the log has it');
  }
}

const nobody: Caller = { id: 'anonymous', roles: [] };

function webhook(kind: ReceivedKind): Route {
  return {
    method: 'POST',
    path: `webhooks/${kind}`,
    access: 'open',
    handle: (request, { pipeline, tokens }) =>
      receiveWebhook(kind, request, {
        registries: pipeline.registries,
        tokens,
        queues: pipeline.ports.queues,
        clock: pipeline.ports.clock,
        log: pipeline.ports.log,
      }),
  };
}
