/** One HTTP request whose answer is a stream; redirects, retries and credentials are the caller's business. */
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
} from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** How long no byte may arrive: neither of the head nor of the body, while somebody reads it. */
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Address that answered; undefined where the connection is gone already. */
  readonly remoteAddress: string | undefined;
  /** The body exactly as sent: nothing is decompressed. Read it to the end or discard it. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the transfer; the rest of the body is not read. */
  discard(): void;
}

export interface HttpClientOptions {
  /** How names are resolved, at connect; node:dns where absent. */
  readonly lookup?: LookupFunction;
  /** Certificates (PEM) to trust instead of the usual ones. */
  readonly ca?: string;
  /** Most connections to one host. */
  readonly maxConnections?: number;
}

export interface HttpClient {
  /**
   * Resolves when the head of the answer is there. Rejects with Node's own error (an `Error` with a `code`, see
   * isNetworkError) where there is no answer, and with the signal's reason where it was aborted; so does reading a
   * body that breaks off. `lookup` overrules the client's own for this request.
   */
  send(request: HttpRequest, lookup?: LookupFunction): Promise<HttpResponse>;
  /** Closes idle connections. */
  close(): void;
}

/**
 * On node:http rather than fetch: fetch undoes `Content-Encoding`, so that the bytes are not those that the digest is
 * of, it hides the address that answered, and its time limits can't be set per request.
 */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  const shared = { keepAlive: true, maxSockets: options.maxConnections ?? 64, timeout: 30_000 };
  const plainAgent = new PlainAgent(shared);
  const tlsAgent = new TlsAgent({ ...shared, ...(options.ca === undefined ? {} : { ca: options.ca }) });
  return {
    send(request, lookup = options.lookup) {
      return send(request, lookup, request.url.protocol === 'https:' ? tlsAgent : plainAgent);
    },
    close() {
      plainAgent.destroy();
      tlsAgent.destroy();
    },
  };
}

/** Whether an error says that the network or the other side failed, rather than this program. */
export function isNetworkError(error: unknown): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return networkCodePattern.test(error.code);
}

const networkCodePattern =
  /^(?:E(?:CONN|HOST|NET|PIPE|AI|NOTFOUND|TIMEDOUT|PROTO|ADDRNOTAVAIL|ACCES|BADF)|HPE_|ERR_(?:TLS|SSL|STREAM_PREMATURE_CLOSE|HTTP)|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|INVALID_CA)/;

/** The whole body, or undefined where it has more than maxBytes; the rest is then not read. */
export async function readBody(response: HttpResponse, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      response.discard();
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** One value of a header that may be absent or repeated. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function send(
  request: HttpRequest,
  lookup: LookupFunction | undefined,
  agent: PlainAgent,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    request.signal?.throwIfAborted();
    const start = request.url.protocol === 'https:' ? tlsRequest : plainRequest;
    const outgoing = start(request.url, {
      method: request.method,
      headers: withLength(request),
      agent,
      timeout: request.idleTimeoutMs,
      ...(lookup === undefined ? {} : { lookup }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    outgoing.on('timeout', () => outgoing.destroy(timeoutError(request.idleTimeoutMs)));
    outgoing.on('error', (error) => reject(request.signal?.aborted ? request.signal.reason : error));
    outgoing.on('response', (incoming) => resolve(toResponse(incoming, request)));
    outgoing.end(request.body);
  });
}

function withLength(request: HttpRequest): Record<string, string> {
  if (request.body === undefined) return { ...request.headers };
  return { ...request.headers, 'content-length': String(Buffer.byteLength(request.body)) };
}

function toResponse(incoming: IncomingMessage, request: HttpRequest): HttpResponse {
  // A body that is discarded, or breaks between two reads, must not end the process as an unhandled 'error'.
  incoming.on('error', () => {});
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    remoteAddress: incoming.socket?.remoteAddress,
    body: readIncoming(incoming, request),
    discard: () => {
      // A short rest is read away, which keeps the connection for the next request.
      if (request.method === 'HEAD' || Number(incoming.headers['content-length']) <= maxDrainedBytes) {
        incoming.resume();
      } else {
        incoming.destroy();
      }
    },
  };
}

const maxDrainedBytes = 64 * 1024;

/** Leaving the loop early destroys the stream, and with it the connection. A reader that is slow is no idle server, so
 *  the clock runs only while this waits for bytes. */
async function* readIncoming(incoming: IncomingMessage, request: HttpRequest): AsyncGenerator<Uint8Array> {
  incoming.setTimeout(0);
  const iterator: AsyncIterator<Uint8Array> = incoming[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  try {
    while (true) {
      timer = setTimeout(() => incoming.destroy(timeoutError(request.idleTimeoutMs)), request.idleTimeoutMs);
      const next = await iterator.next();
      clearTimeout(timer);
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
    incoming.destroy();
  }
}

function timeoutError(idleTimeoutMs: number): Error {
  return Object.assign(new Error(`no byte for ${idleTimeoutMs} ms`), { code: 'ETIMEDOUT' });
}
