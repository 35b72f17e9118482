/** Sends notifications to addresses that users named: https to public addresses, checked at connect. */
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { hostNameOf, isLoopbackHost } from '../base/addresses.ts';
import { createHttpClient, headerOf, isNetworkError } from '../base/http.ts';
import { isPublicAddress } from '../base/public-address.ts';
import { parseRetryAfterMs } from '../base/retry.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { OutgoingAnswer, OutgoingRequest, Sender } from '../ports/sender.ts';

export interface HttpsSenderOptions {
  /** One machine only: hosts that are written as loopback are allowed, over http too. */
  readonly allowLoopback: boolean;
  /** Addresses that are refused whatever else is allowed, as `host:port`: the identity endpoint. */
  readonly refusedHosts?: readonly string[];
  /** All addresses of a host name; the system's resolver where absent. */
  readonly resolve?: (hostName: string) => Promise<readonly string[]>;
  /** Certificates (PEM) to trust instead of the usual ones. */
  readonly ca?: string;
  readonly now?: () => Date;
}

/** A sender that follows no redirect and reads no answer: what stands in it is nobody's business here. */
export function createHttpsSender(options: HttpsSenderOptions): Sender {
  const client = createHttpClient(options.ca === undefined ? {} : { ca: options.ca });
  const resolve = options.resolve ?? resolveBySystem;
  const now = options.now ?? (() => new Date());

  return {
    async post(request) {
      const url = checkedUrl(request.url, options);
      try {
        const signal = AbortSignal.timeout(request.timeoutMs);
        const addresses = await Promise.race([resolveChecked(url, options, resolve), whenAborted(signal)]);
        const { headers, body, timeoutMs: idleTimeoutMs } = request;
        const outgoing = { method: 'POST', url, headers, body, idleTimeoutMs, signal } as const;
        // The socket connects to what was checked and asks nobody again, so that a name can't mean another address
        // between check and connect (DNS rebinding).
        const response = await client.send(outgoing, lookupOf(addresses));
        response.discard();
        const retryAfterMs = parseRetryAfterMs(headerOf(response.headers, 'retry-after'), now());
        return answerOf(response.status, retryAfterMs);
      } catch (error) {
        throw failureOf(error, url, request);
      }
    },
  };
}

/** Throws RECEIVER_REFUSED for a URL that needs no look at its addresses to be refused. */
function checkedUrl(text: string, options: HttpsSenderOptions): URL {
  const url = URL.parse(text);
  if (url === null) throw refused('an absolute https URL', 'something else');
  const isLoopback = options.allowLoopback && isLoopbackHost(url.host);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw refused('https', `${url.protocol}//${url.host}`);
  }
  // Names and passwords in a URL end up in logs; the signature is what a receiver is to check.
  if (url.username !== '' || url.password !== '') {
    throw refused('a URL without user and password', `one for ${url.host}`);
  }
  if (options.refusedHosts?.includes(url.host)) throw refused('a receiver', `the endpoint ${url.host}`);
  return url;
}

/** Every address of the URL's host. Throws RECEIVER_REFUSED where one of them is not allowed: which one a connection
 *  takes is chance. */
async function resolveChecked(
  url: URL,
  options: HttpsSenderOptions,
  resolve: (hostName: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const name = hostNameOf(url.hostname);
  const isLoopback = options.allowLoopback && isLoopbackHost(url.host);
  const addresses = isIP(name) === 0 ? await resolve(name) : [name];
  const wrong = addresses.find((address) => !isAllowed(address, isLoopback));
  if (wrong !== undefined) throw refused(`${name} to have public addresses only`, wrong);
  if (addresses.length === 0) {
    throw Object.assign(new Error(`${name} has no address`), { code: 'ENOTFOUND' });
  }
  return addresses;
}

/** A resolver for one request that knows nothing but these addresses. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostName, { all }, callback) => {
    if (all === true) callback(null, entries);
    else callback(null, entries[0]?.address ?? '', entries[0]?.family);
  };
}

/** Rejects once the time is over. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function isAllowed(address: string, allowLoopback: boolean): boolean {
  return isPublicAddress(address) || (allowLoopback && isLoopbackHost(address));
}

async function resolveBySystem(hostName: string): Promise<readonly string[]> {
  const found = await systemLookup(hostName, { all: true });
  return found.map((entry) => entry.address);
}

function answerOf(status: number, retryAfterMs: number | undefined): OutgoingAnswer {
  return retryAfterMs === undefined ? { status } : { status, retryAfterMs };
}

function failureOf(error: unknown, url: URL, request: OutgoingRequest): unknown {
  if (error instanceof PlimsollError) return error;
  const isTimeout = error instanceof Error && error.name === 'TimeoutError';
  if (!isTimeout && !isNetworkError(error)) return error;
  const found = isTimeout ? `no answer within ${request.timeoutMs} ms` : error.message;
  // The path and query of a receiver's URL are often its secret.
  return new PlimsollError('RECEIVER_UNREACHABLE', `expected an answer of ${url.host}, found: ${found}`, {
    retryable: true,
    cause: error,
  });
}

function refused(expected: string, found: string): PlimsollError {
  return new PlimsollError(
    'RECEIVER_REFUSED',
    `expected ${expected}, found ${found.slice(0, 300)}: notifications go to https on public addresses alone`,
  );
}
