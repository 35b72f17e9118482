/** Serves the HTTP functions of an app on this machine, with the answers of the Functions host. */
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream/promises';
import { PlimsollError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { RegisteredFunction, Registrations, RpcHttp } from './core-module.ts';
import { type InvocationInput, invoke, newInvocationId } from './invocation.ts';
import { limitBody, RequestTooLarge, readBody } from './request-body.ts';
import { matchRoute, type Route } from './route.ts';

/** The runner is for one machine: it never listens to others. */
const host = '127.0.0.1';

/** How long a client may go on sending after it has been answered. */
const lingerMs = 500;

export interface HttpFunction {
  readonly route: Route;
  readonly registered: RegisteredFunction;
}

export interface HttpListener {
  readonly url: string;
  /** Refuses new connections, lets running requests finish, cuts what is left after drainMs. */
  close(drainMs: number): Promise<void>;
}

export interface HttpOptions {
  readonly app: Registrations;
  /** In order of function name. */
  readonly functions: readonly HttpFunction[];
  /** 0 takes any free port. */
  readonly port: number;
  /** Where the library takes requests as streams; undefined hands bodies over whole. */
  readonly streamUrl: string | undefined;
  readonly maxBodyBytes: number;
  readonly log: Log;
  /** Called after each invocation. */
  readonly onInvoked: () => void;
}

/** Listens until closed. Throws INVALID_SETTING where the port is taken or not allowed. */
export async function listenForHttp(options: HttpOptions): Promise<HttpListener> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    answer(options, agent, incoming, outgoing).catch((error: unknown) => {
      if (!outgoing.destroyed) {
        options.log.error('http-failed', { path: pathOf(incoming), error: String(error) });
      }
      endEmpty(outgoing, error instanceof RequestTooLarge ? 413 : 500);
    });
  });
  const port = await listen(server, options.port);
  return {
    url: `http://${host}:${port}`,
    async close(drainMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), drainMs);
      await closed;
      clearTimeout(cut);
      agent.destroy();
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explainListening(error, port)));
    server.listen({ host, port }, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function explainListening(error: NodeJS.ErrnoException, port: number): Error {
  const taken = error.code === 'EADDRINUSE' ? 'it is taken' : error.message;
  return new PlimsollError(
    'INVALID_SETTING',
    `expected port ${port} on ${host} to be free, found that ${taken}: stop what uses it or choose another with --port`,
    { cause: error },
  );
}

async function answer(
  options: HttpOptions,
  agent: Agent,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const path = pathOf(incoming);
  for (const { route, registered } of options.functions) {
    const params = matchRoute(route, incoming.method ?? '', path);
    if (params !== undefined) {
      try {
        await (options.streamUrl === undefined
          ? answerWhole(options, registered, params, incoming, outgoing)
          : answerAsStream(options, options.streamUrl, agent, registered, params, incoming, outgoing));
      } finally {
        options.onInvoked();
      }
      return;
    }
  }
  endEmpty(outgoing, 404);
}

async function answerWhole(
  { app, log, maxBodyBytes }: HttpOptions,
  registered: RegisteredFunction,
  params: Readonly<Record<string, string>>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const bytes = await readBody(incoming, maxBodyBytes);
  const http: RpcHttp = { ...describe(incoming, params), body: { bytes } };
  const outcome = await invoke(app, registered, inputOf(newInvocationId(), http, params), log);
  const answered = outcome.returnValue?.http;
  if (answered === undefined) {
    endEmpty(outgoing, 204);
    return;
  }
  outgoing.writeHead(Number(answered.statusCode ?? 200), answered.headers);
  outgoing.end(answered.body?.bytes);
}

/** Sends the request on to the library's own listener and its answer back, as the host does with HTTP streams. */
async function answerAsStream(
  { app, log, maxBodyBytes }: HttpOptions,
  streamUrl: string,
  agent: Agent,
  registered: RegisteredFunction,
  params: Readonly<Record<string, string>>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const invocationId = newInvocationId();
  const passed = request(new URL(incoming.url ?? '/', streamUrl), {
    agent,
    method: incoming.method,
    headers: {
      ...incoming.headers,
      'x-ms-invocation-id': invocationId,
      'x-forwarded-host': incoming.headers.host ?? host,
      'x-forwarded-proto': 'http',
    },
  });
  const stop = new AbortController();
  const sent = pipeline(incoming, limitBody(maxBodyBytes), passed, { signal: stop.signal });
  const answered = new Promise<void>((resolve, reject) => {
    passed.on('error', reject);
    passed.once('response', (response) => {
      const { 'x-ms-invocation-id': _, ...headers } = response.headers;
      outgoing.writeHead(response.statusCode ?? 500, headers);
      pipeline(response, outgoing).then(resolve, reject);
    });
  });
  // Each is awaited or looked at below; none may reject while nobody listens.
  sent.catch(() => {});
  answered.catch(() => {});
  try {
    const input = inputOf(invocationId, describe(incoming, params), params);
    // A body past the limit ends the request although the handler may be waiting for the rest of it.
    const tooLarge = sent.then(
      () => new Promise<never>(() => {}),
      (error: unknown) =>
        error instanceof RequestTooLarge ? Promise.reject(error) : new Promise<never>(() => {}),
    );
    const { result } = await Promise.race([invoke(app, registered, input, log), tooLarge]);
    if (result === undefined || result === null) {
      endEmpty(outgoing, 204);
    } else {
      await answered;
    }
  } finally {
    if (!outgoing.writableFinished) {
      stop.abort();
      passed.destroy();
    } else if (!incoming.complete) {
      // A handler may answer before the body has come; the client gets a moment to read that before it is cut off.
      setTimeout(() => incoming.socket.destroy(), lingerMs);
    }
  }
}

function inputOf(
  invocationId: string,
  http: RpcHttp,
  params: Readonly<Record<string, string>>,
): InvocationInput {
  const triggerMetadata = Object.fromEntries(
    Object.entries(params).map(([name, string]) => [name, { string }]),
  );
  return {
    invocationId,
    data: { http },
    triggerMetadata: {
      ...triggerMetadata,
      Headers: { json: JSON.stringify(http.headers) },
      Query: { json: JSON.stringify(http.query) },
    },
  };
}

function describe(incoming: IncomingMessage, params: Readonly<Record<string, string>>): RpcHttp {
  const url = new URL(incoming.url ?? '/', `http://${host}`);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  }
  return {
    method: incoming.method ?? 'GET',
    url: `http://${incoming.headers.host ?? host}${url.pathname}${url.search}`,
    headers,
    params,
    query: Object.fromEntries(url.searchParams),
  };
}

function pathOf(incoming: IncomingMessage): string {
  return (incoming.url ?? '/').split('?', 1)[0] ?? '/';
}

function endEmpty(outgoing: ServerResponse, status: number): void {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  // Of a body that was not read to its end nothing may be taken for the next request.
  outgoing.writeHead(status, { 'content-length': '0', connection: 'close' });
  outgoing.end();
}
