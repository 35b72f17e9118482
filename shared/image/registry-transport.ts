/** Requests to a registry's hosts: retried within small bounds, redirected by hand, never with credentials elsewhere. */
import { lookup as resolveName } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { hostNameOf, isLoopbackHost, isPrivateAddress } from '../base/addresses.ts';
import {
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  headerOf,
  isNetworkError,
  readBody,
} from '../base/http.ts';
import { isPublicAddress } from '../base/public-address.ts';
import { backoffMs, parseRetryAfterMs, type RetryTimings, waitMs } from '../base/retry.ts';
import { PlimsollError } from '../domain/errors.ts';
import { type Pace, paced } from './registry-pace.ts';

export interface TransportOptions {
  readonly http: HttpClient;
  readonly retry: RetryTimings;
  readonly idleTimeoutMs: number;
  readonly pace: Pace;
  readonly now: () => Date;
  readonly random: () => number;
  /** How names of redirect targets are resolved; node:dns where absent. */
  readonly lookup?: LookupFunction;
}

export interface TransportRequest {
  readonly method: HttpRequest['method'];
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Most redirects in a row: registries use one, some with a content network two. */
export const maxRedirects = 5;
/** Most bytes of an error's body that are read, for its message. */
const maxErrorBodyBytes = 64 * 1024;

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function isRedirect(response: HttpResponse): boolean {
  return redirectStatuses.has(response.status);
}

/**
 * One request, tried again after a network error, 408, 429 and 5xx with growing waits or as `Retry-After` asks.
 * Any other answer comes back as it is. Throws REGISTRY_THROTTLED or REGISTRY_UNREACHABLE (both retryable, with
 * retryAfterMs where known) when the tries are used up or the other side asks for a longer wait than `maxDelayMs`.
 */
export async function sendWithRetry(
  request: TransportRequest,
  options: TransportOptions,
  lookup?: LookupFunction,
): Promise<HttpResponse> {
  for (let tries = 1; ; tries++) {
    const outcome = await tryOnce(request, options, lookup);
    if (!(outcome instanceof PlimsollError)) return outcome;
    const waitForMs = outcome.retryAfterMs ?? backoffMs(tries, options.retry, options.random);
    if (tries >= options.retry.attempts || waitForMs > options.retry.maxDelayMs) throw outcome;
    await waitMs(waitForMs, request.signal);
  }
}

/**
 * Follows the redirects of `response`, which answered `request`. Targets must be https (loopback to loopback aside),
 * `Authorization` goes to the same origin only, and nothing leads to this machine, a link-local address or, from a
 * public registry, into a private network: a hostile registry must not make us read what only we can reach.
 * Throws INSECURE_TRANSPORT, REGISTRY_REFUSED and what sendWithRetry throws.
 */
export async function followRedirects(
  request: TransportRequest,
  response: HttpResponse,
  options: TransportOptions,
): Promise<HttpResponse> {
  const isLoopback = isLoopbackHost(request.url.host);
  const address = response.remoteAddress;
  const allowsPrivate = isLoopback || (address !== undefined && !isPublicAddress(address));
  let current = response;
  let { url, headers } = request;
  for (let hops = 0; isRedirect(current); hops++) {
    const target = redirectTarget(current, url);
    current.discard();
    if (hops >= maxRedirects) throw refused(url, `answered with more than ${maxRedirects} redirects`);
    checkRedirect(url, target, { isLoopback, allowsPrivate });
    if (target.origin !== url.origin) headers = withoutCredentials(headers);
    url = target;
    const lookup = isLoopback ? undefined : guardedLookup(options, allowsPrivate);
    current = await sendWithRetry({ ...request, url, headers }, options, lookup);
  }
  return current;
}

/** Refuses a redirect target by its text; names are checked again when they are resolved. Throws INSECURE_TRANSPORT
 *  where it is not https, REGISTRY_REFUSED where its address is forbidden. */
export function checkRedirect(
  from: URL,
  target: URL,
  allowed: { readonly isLoopback: boolean; readonly allowsPrivate: boolean },
): void {
  const toLoopback = isLoopbackHost(target.host);
  if (target.protocol !== 'https:' && !(allowed.isLoopback && toLoopback && target.protocol === 'http:')) {
    throw new PlimsollError(
      'INSECURE_TRANSPORT',
      `${safeUrl(from)} redirects to ${safeUrl(target)}: expected https`,
    );
  }
  if (allowed.isLoopback) return;
  const name = hostNameOf(target.host);
  if (toLoopback || (isIP(name) !== 0 && isForbidden(name, allowed.allowsPrivate))) {
    throw refused(from, `redirects to ${target.host}, which is no public address`);
  }
}

/** Checks the address at the moment of connecting, so that a name can't answer otherwise a second time. */
export function guardedLookup(
  options: Pick<TransportOptions, 'lookup'>,
  allowsPrivate: boolean,
): LookupFunction {
  const resolve = options.lookup ?? resolveName;
  return (hostname, lookupOptions, callback) => {
    resolve(hostname, lookupOptions, (error, address, family) => {
      const addresses = typeof address === 'string' ? [address] : (address ?? []).map((row) => row.address);
      const forbidden = addresses.find((one) => isForbidden(one, allowsPrivate));
      if (error !== null || forbidden === undefined) return callback(error, address, family);
      return callback(
        new PlimsollError(
          'REGISTRY_REFUSED',
          `the registry sends to ${hostname}, which is ${forbidden}: no public address`,
        ),
        [],
      );
    });
  };
}

/** The whole body. Throws TOO_LARGE past maxBytes, REGISTRY_UNREACHABLE (retryable) where the transfer breaks off. */
export async function readWhole(response: HttpResponse, maxBytes: number, name: string): Promise<Uint8Array> {
  if (Number(headerOf(response.headers, 'content-length')) > maxBytes) {
    response.discard();
    throw tooLarge(name, maxBytes);
  }
  try {
    const bytes = await readBody(response, maxBytes);
    if (bytes === undefined) throw tooLarge(name, maxBytes);
    return bytes;
  } catch (cause) {
    if (!isNetworkError(cause)) throw cause;
    throw new PlimsollError('REGISTRY_UNREACHABLE', `${name}: the transfer broke off; try again later`, {
      retryable: true,
      cause,
    });
  }
}

export function tooLarge(name: string, maxBytes: number): PlimsollError {
  return new PlimsollError(
    'TOO_LARGE',
    `${name}: at most ${maxBytes} bytes are read, the registry sends more`,
  );
}

/** The answer as an error: what the registry says of it, cut and without control characters. After a redirect it was
 *  the storage behind the registry that refused, which no credentials of ours would change. */
export async function refusalOf(
  response: HttpResponse,
  url: URL,
  isRedirected = false,
): Promise<PlimsollError> {
  const said = await readErrorText(response);
  if (isRedirected) return refused(url, `redirects to a place that answered ${response.status}`);
  const text = `${safeUrl(url)} answered ${response.status}${said === '' ? '' : ` (${said})`}`;
  if (response.status === 401) {
    return new PlimsollError(
      'UNAUTHORIZED',
      `${text}: check that the image exists and the credentials are right`,
    );
  }
  if (response.status === 403) {
    return new PlimsollError(
      'FORBIDDEN',
      `${text}: give the credentials the right to pull from this repository`,
    );
  }
  return new PlimsollError('REGISTRY_REFUSED', text);
}

export function refused(url: URL, what: string): PlimsollError {
  return new PlimsollError('REGISTRY_REFUSED', `${safeUrl(url)} ${what}`);
}

/** Origin and path: the query of a redirect is a signature that reads the blob. */
export function safeUrl(url: URL): string {
  return `${url.origin}${url.pathname}`.slice(0, 500);
}

async function tryOnce(
  request: TransportRequest,
  options: TransportOptions,
  lookup: LookupFunction | undefined,
): Promise<HttpResponse | PlimsollError> {
  const text = safeUrl(request.url);
  try {
    const response = paced(await sendOnce(request, options, lookup), text, options.pace);
    const { status } = response;
    if (status !== 429 && status !== 408 && (status < 500 || status === 501)) return response;
    const retryAfterMs = parseRetryAfterMs(headerOf(response.headers, 'retry-after'), options.now());
    const said = await readErrorText(response);
    return new PlimsollError(
      status === 429 ? 'REGISTRY_THROTTLED' : 'REGISTRY_UNREACHABLE',
      `${text} answered ${status}${said === '' ? '' : ` (${said})`}; try again later`,
      { retryable: true, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    );
  } catch (cause) {
    if (!isNetworkError(cause)) throw cause;
    return new PlimsollError(
      'REGISTRY_UNREACHABLE',
      `${text} did not answer (${cause.code ?? ''} ${cause.message}); check the name and the network`,
      { retryable: true, cause },
    );
  }
}

/** Resolves when the head of the answer is there, which must not take longer than the window of the pace. */
async function sendOnce(
  request: TransportRequest,
  options: TransportOptions,
  lookup: LookupFunction | undefined,
): Promise<HttpResponse> {
  const { windowMs } = options.pace;
  const tooSlow = new AbortController();
  const timer = setTimeout(() => {
    tooSlow.abort(Object.assign(new Error(`no whole head in ${windowMs} ms`), { code: 'ETIMEDOUT' }));
  }, windowMs);
  const signals = request.signal === undefined ? [tooSlow.signal] : [request.signal, tooSlow.signal];
  try {
    const signal = AbortSignal.any(signals);
    return await options.http.send({ ...request, signal, idleTimeoutMs: options.idleTimeoutMs }, lookup);
  } finally {
    clearTimeout(timer);
  }
}

function redirectTarget(response: HttpResponse, url: URL): URL {
  const location = headerOf(response.headers, 'location') ?? '';
  const target = URL.parse(location, url.href);
  if (location === '' || target === null) {
    response.discard();
    throw refused(url, `answered ${response.status} without a usable Location`);
  }
  // User and password in a Location would become an Authorization header that the registry chose.
  target.username = '';
  target.password = '';
  return target;
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
  );
}

/** A registry inside a private network may send there; to this machine or to a link-local address none may. */
function isForbidden(address: string, allowsPrivate: boolean): boolean {
  return !isPublicAddress(address) && !(allowsPrivate && isPrivateAddress(address));
}

async function readErrorText(response: HttpResponse): Promise<string> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readBody(response, maxErrorBodyBytes);
  } catch (error) {
    if (!isNetworkError(error)) throw error;
  }
  const text = new TextDecoder().decode(bytes ?? new Uint8Array());
  const first = /"code"\s*:\s*"([^"]{1,60})"(?:\s*,\s*"message"\s*:\s*"([^"]{1,200}))?/.exec(text);
  return first === null
    ? ''
    : [first[1], first[2]]
        .filter((part) => part !== undefined)
        .join(': ')
        .replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ');
}
