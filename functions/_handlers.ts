/** What every trigger has in common: the library's requests and messages in, ours out, and no rejection unhandled. */
import {
  type HttpFunctionOptions,
  type HttpRequest,
  type HttpResponseInit,
  app as library,
  type StorageQueueHandler,
  type TimerHandler,
} from '@azure/functions';
import type { ApiContext } from '../shared/api/context.ts';
import type { ApiRequest, ApiResponse } from '../shared/api/http.ts';
import { problemOf } from '../shared/api/problem.ts';
import type { ReceiveRegistryEventDeps } from '../shared/api/receive-registry-event.ts';
import { answer, type Route } from '../shared/api/routes.ts';
import { PlimsollError } from '../shared/domain/errors.ts';
import { app, invocations, log } from './_app.ts';

// Bodies as streams: a webhook's sender is known before its body is read, and no body is held whole by the library.
library.setup({ enableHttpStream: true });

/** The setting prefix under which the host finds its queues: the app's own storage account. */
export const connection = 'AzureWebJobsStorage';

/** Binds a route of the API to an HTTP trigger. Who may call is the API's own business, so the host asks for no key. */
export function serve(route: Route): HttpFunctionOptions {
  return {
    methods: [route.method],
    route: route.path,
    authLevel: 'anonymous',
    handler: (request, context) =>
      invocations.run(context, async () => toLibrary(await answerSafely(route, toApi(request)))),
  };
}

/** Runs a step on a message. What it throws is the host's to try again; `dequeueCount` is 1 at the first try. */
export function onMessage(
  step: (api: ApiContext, message: unknown, dequeueCount: number) => Promise<void>,
): StorageQueueHandler {
  return (message, context) =>
    invocations.run(context, () =>
      step(app(), message, Number(context.triggerMetadata?.['dequeueCount'] ?? 1)),
    );
}

/** Runs a step on a schedule. What it throws the host logs; the next time comes all the same. */
export function onSchedule(step: (api: ApiContext) => Promise<unknown>): TimerHandler {
  return (_timer, context) =>
    invocations.run(context, async () => {
      await step(app());
    });
}

/** What intake needs of the app. */
export function intakeOf({ pipeline }: ApiContext): ReceiveRegistryEventDeps {
  return { registries: pipeline.registries, queues: pipeline.ports.queues, clock: pipeline.ports.clock };
}

/** The API's answer, or a problem document where the app can't be put together. */
async function answerSafely(route: Route, request: ApiRequest): Promise<ApiResponse> {
  try {
    return await answer(route, request, app());
  } catch (error) {
    if (error instanceof PlimsollError) {
      log.error('app.broken', { code: error.code, detail: error.message });
      return problemOf(error);
    }
    throw error;
  }
}

function toApi(request: HttpRequest): ApiRequest {
  return {
    method: request.method,
    params: request.params,
    query: firstOfEach(request.query),
    headers: Object.fromEntries(request.headers),
    body: request.body ?? emptyBody(),
  };
}

function toLibrary(response: ApiResponse): HttpResponseInit {
  const { status, headers, body } = response;
  return body.length === 0 ? { status, headers } : { status, headers, body };
}

function firstOfEach(query: URLSearchParams): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries([...query].toReversed());
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
