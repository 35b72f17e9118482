/** What every trigger has in common: the library's requests and messages in, ours out, and no rejection unhandled. */
import {
  type HttpHandler,
  type HttpRequest,
  type HttpResponseInit,
  type InvocationContext,
  app as library,
  type StorageQueueHandler,
  type TimerHandler,
} from '@azure/functions';
import type { ApiContext } from '../shared/api/context.ts';
import type { ApiRequest, ApiResponse } from '../shared/api/http.ts';
import { problem, problemOf } from '../shared/api/problem.ts';
import type { ReceiveWebhookDeps } from '../shared/api/receive-webhook.ts';
import { PlimsollError } from '../shared/domain/errors.ts';
import { app, invocations, log } from './_app.ts';

// Bodies as streams: a webhook's sender is known before its body is read, and no body is held whole by the library.
library.setup({ enableHttpStream: true });

/** The setting prefix under which the host finds its queues: the app's own storage account. */
export const connection = 'AzureWebJobsStorage';

/** Answers by the API; a failure becomes its problem document, an unforeseen one 500 without details. */
export function answer(respond: (api: ApiContext, request: ApiRequest) => Promise<ApiResponse>): HttpHandler {
  return (request, context) =>
    invocations.run(context, async () => {
      try {
        return toLibrary(await respond(app(), toApi(request)));
      } catch (error) {
        return toLibrary(explain(error, context));
      }
    });
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
export function intakeOf({ pipeline, tokens }: ApiContext): ReceiveWebhookDeps {
  const { queues, clock, log: portLog } = pipeline.ports;
  return { registries: pipeline.registries, tokens, queues, clock, log: portLog };
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

function explain(error: unknown, context: InvocationContext): ApiResponse {
  if (error instanceof PlimsollError) {
    log.warn('request.failed', { code: error.code, detail: error.message });
    return problemOf(error);
  }
  log.error('request.broke', {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  return problem(500, 'INTERNAL', `unforeseen failure; the logs know it as ${context.invocationId}`);
}

function firstOfEach(query: URLSearchParams): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries([...query].toReversed());
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
