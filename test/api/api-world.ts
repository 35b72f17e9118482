/** The API over the pipeline's test world: requests in, responses with their JSON out. */
import { type ApiContext, newApiCaches } from '../../shared/api/context.ts';
import type { ApiRequest } from '../../shared/api/http.ts';
import { answer, type Route, routes } from '../../shared/api/routes.ts';
import { createWebhookTokens } from '../../shared/api/webhook-tokens.ts';
import type { PipelineContext } from '../../shared/pipeline/context.ts';
import type { Caller, Role } from '../../shared/ports/caller.ts';

export type RouteName = keyof typeof routes;

export interface Asked {
  readonly query?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  /** Sent as JSON; a string as it is. */
  readonly body?: unknown;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON of the body; undefined without one. */
  readonly body: unknown;
}

export interface ApiWorld {
  readonly context: ApiContext;
  ask(name: RouteName, asked?: Asked): Promise<Answered>;
  /** Who calls from now on; undefined for nobody. */
  callAs(caller: Caller | undefined): void;
}

/** An API whose caller is an operator until told otherwise. */
export function createApiWorld(pipeline: PipelineContext): ApiWorld {
  let caller: Caller | undefined = callerWith('operator');
  const { secrets, clock } = pipeline.ports;
  const context: ApiContext = {
    pipeline,
    callers: { identify: async () => caller },
    tokens: createWebhookTokens({ secrets, clock }),
    caches: newApiCaches(),
  };
  return {
    context,
    callAs(next) {
      caller = next;
    },
    async ask(name, asked = {}) {
      const route: Route = routes[name];
      const response = await answer(route, requestOf(route, asked), context);
      const text = Buffer.from(response.body).toString();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
    },
  };
}

export function callerWith(...roles: Role[]): Caller {
  return { id: `user-${roles.join('-')}`, roles };
}

export function requestOf(route: Route, asked: Asked): ApiRequest {
  const { body } = asked;
  const bytes = Buffer.from(typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body));
  return {
    method: route.method,
    params: asked.params ?? {},
    query: asked.query ?? {},
    headers: { 'content-type': 'application/json' },
    body: (async function* chunks() {
      yield bytes;
    })(),
  };
}
