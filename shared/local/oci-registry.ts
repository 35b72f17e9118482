/** An OCI registry for one machine: what `npm start` offers to push to, and what the registry client is tested against
 *  (distribution-spec 1.1, with Docker Distribution's notifications). */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLoopbackHost } from '../base/addresses.ts';
import { isNetworkError } from '../base/http.ts';
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { createGatekeeper, type Gatekeeper, type OciRegistryAuth } from './oci-registry-auth.ts';
import { handleBlob, handleUpload, handleUploads } from './oci-registry-blobs.ts';
import {
  type Exchange,
  type RegistryState,
  sendEmpty,
  sendError,
  sendJson,
} from './oci-registry-exchange.ts';
import { createFaultPlan, type Fault, type FaultPlan } from './oci-registry-faults.ts';
import { handleCatalog, handleManifest, handleTags } from './oci-registry-manifests.ts';
import { type NotificationOptions, type Notifier, startNotifier } from './oci-registry-notifications.ts';
import { parseRoute, type RegistryRoute, repositoryOf } from './oci-registry-routes.ts';
import { openRegistryStorage } from './oci-registry-storage.ts';

export interface OciRegistryOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** A loopback address; 127.0.0.1 where absent. */
  readonly host?: string;
  /** Where everything is kept; absent: a folder of the system's temporary ones, removed by close(). */
  readonly dataDir?: string;
  readonly notifications?: NotificationOptions;
  readonly auth?: OciRegistryAuth;
  readonly faults?: readonly Fault[];
  /** Called with every request, before it is answered. */
  readonly onRequest?: (request: SeenRequest) => void;
  /** Called with what went wrong here, as a full disk; the client sees status 500. */
  readonly onError?: (error: unknown) => void;
}

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export interface OciRegistry {
  /** `http://127.0.0.1:5000`. */
  readonly url: string;
  /** `127.0.0.1:5000`, as it stands in references. */
  readonly host: string;
  addFault(fault: Fault): void;
  /** Stores a manifest as it is, whatever it says: for manifests that no client would push. Tells nobody. */
  putManifest(
    repository: string,
    tag: string | undefined,
    bytes: Uint8Array,
    mediaType: string,
  ): Promise<Digest>;
  revokeTokens(): void;
  /** Resolves when every notification so far was taken. */
  notified(): Promise<void>;
  close(): Promise<void>;
}

/** Throws INVALID_SETTING where the port is taken or the host is not on this machine. */
export async function startOciRegistry(options: OciRegistryOptions = {}): Promise<OciRegistry> {
  const address = options.host ?? '127.0.0.1';
  if (!isLoopbackHost(address)) {
    throw new PlimsollError(
      'INVALID_SETTING',
      `the local registry listens on loopback only, not on ${address}`,
    );
  }
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'plimsoll-registry-')));
  const state: RegistryState = { storage: await openRegistryStorage(dataDir), uploads: new Map() };
  const gatekeeper = createGatekeeper(options.auth);
  const faults = createFaultPlan();
  for (const fault of options.faults ?? []) faults.add(fault);
  // Uploads and pulls of large layers take longer than any limit on a whole request.
  const server = createServer({ requestTimeout: 0 });
  const port = await listen(server, options.port ?? 0, address);
  const host = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const notifier =
    options.notifications === undefined ? undefined : startNotifier(options.notifications, host);
  server.on('request', (request, response) => {
    options.onRequest?.({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    const context = { state, gatekeeper, faults, notifier, host };
    answer(request, response, context).catch((error: unknown) => {
      // A client that went away is no failure; anything else ends this request alone.
      if (!isNetworkError(error)) options.onError?.(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { connection: 'close' }).end();
    });
  });
  return {
    url: `http://${host}`,
    host,
    addFault: (fault) => faults.add(fault),
    putManifest: (repository, tag, bytes, mediaType) =>
      state.storage.putManifest(repository, bytes, mediaType, tag),
    revokeTokens: () => gatekeeper.revokeTokens(),
    notified: async () => notifier?.drained(),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await notifier?.close();
      for (const upload of state.uploads.values()) await state.storage.abortUpload(upload);
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

interface ServerContext {
  readonly state: RegistryState;
  readonly gatekeeper: Gatekeeper;
  readonly faults: FaultPlan;
  readonly notifier: Notifier | undefined;
  readonly host: string;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: ServerContext,
): Promise<void> {
  const method = request.method ?? 'GET';
  const url = URL.parse(request.url ?? '/', `http://${request.headers.host ?? context.host}`);
  if (url === null) {
    response.writeHead(400).end();
    return;
  }
  const fault = context.faults.take(method, url.pathname);
  const id = randomUUID();
  const exchange: Exchange = {
    request,
    response,
    url,
    state: context.state,
    fault,
    notify(action, target) {
      const { remoteAddress = '', remotePort = '' } = request.socket;
      const useragent = request.headers['user-agent'] ?? '';
      const told = { id, addr: `${remoteAddress}:${remotePort}`, host: url.host, method, useragent };
      context.notifier?.tell({ action, target, request: told });
    },
  };
  if (answerWithFault(exchange)) return;
  response.setHeader('docker-distribution-api-version', 'registry/2.0');
  const form = new URLSearchParams(
    method === 'POST' && !url.pathname.startsWith('/v2') ? await readForm(request) : '',
  );
  const token = context.gatekeeper.answerToken(request, url, form);
  if (token !== undefined) return sendJson(exchange, token.status, token.body);
  const route = parseRoute(url.pathname);
  if (route === undefined) return sendError(exchange, 404, 'NAME_INVALID', 'no such path');
  const challenge = context.gatekeeper.challenge(request, url.origin, repositoryOf(route));
  if (challenge !== undefined) {
    response.setHeader('www-authenticate', challenge);
    return sendError(exchange, 401, 'UNAUTHORIZED', 'sign in');
  }
  await dispatch(exchange, route);
}

async function dispatch(exchange: Exchange, route: RegistryRoute): Promise<void> {
  switch (route.kind) {
    case 'base':
      return sendJson(exchange, 200, {});
    case 'catalog':
      return handleCatalog(exchange);
    case 'tags':
      return handleTags(exchange, route.repository);
    case 'uploads':
      return handleUploads(exchange, route.repository);
    case 'upload':
      return handleUpload(exchange, route);
    case 'blob':
      return handleBlob(exchange, route);
    case 'manifest':
      return handleManifest(exchange, route);
  }
}

/** True where the fault is the whole answer. */
function answerWithFault(exchange: Exchange): boolean {
  const { fault, url, response } = exchange;
  if (fault?.kind === 'status') {
    exchange.request.resume();
    response.writeHead(fault.status, fault.headers ?? {}).end(fault.body ?? '');
    return true;
  }
  if (fault?.kind === 'redirect') {
    const target = new URL(fault.to);
    if (target.pathname === '/') target.pathname = url.pathname;
    target.searchParams.set('signature', 'secret-of-the-link');
    sendEmpty(exchange, 307, { location: target.href });
    return true;
  }
  return false;
}

const maxFormBytes = 256 * 1024;

async function readForm(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8');
    if (text.length > maxFormBytes) return '';
  }
  return text;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const text =
        cause.code === 'EADDRINUSE'
          ? 'is taken: it is the one after --port, so choose another there'
          : `can't be used (${cause.message})`;
      reject(
        new PlimsollError('INVALID_SETTING', `the local registry's port ${host}:${port} ${text}`, { cause }),
      );
    });
    server.listen(port, host, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}
