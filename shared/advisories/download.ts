/** Fetches files of feeds: over TLS (plain HTTP on loopback only), bounded, with retries. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hostNameOf, isLoopbackHost } from '../base/addresses.ts';
import { type HttpClient, type HttpResponse, headerOf, isNetworkError, readBody } from '../base/http.ts';
import { isPublicAddress } from '../base/public-address.ts';
import { backoffMs, parseRetryAfterMs, type RetryTimings, waitMs } from '../base/retry.ts';
import { PlimsollError } from '../domain/errors.ts';

export interface DownloadOptions {
  readonly http: HttpClient;
  readonly retries: RetryTimings;
  /** How long no byte may arrive. */
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export const defaultRetries: RetryTimings = { attempts: 4, baseDelayMs: 500, maxDelayMs: 30_000 };
export const defaultIdleTimeoutMs = 30_000;

/** Redirects that are followed; a bucket has none, GitHub's archives one. */
const maxRedirects = 3;

/** The text as the URL of a feed; undefined where it is no http or https URL, as a folder's path is not. Throws
 *  INSECURE_TRANSPORT for http to anything but this machine, INVALID_INPUT where it holds a secret. */
export function parseFeedUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text)) return undefined;
  const url = URL.parse(text);
  if (url === null) throw new PlimsollError('INVALID_INPUT', `expected a URL, found "${text.slice(0, 200)}"`);
  // Names of feeds stand in logs, reports and errors.
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new PlimsollError(
      'INVALID_INPUT',
      `expected the address of a feed without user, password and query, found one at ${url.host}`,
    );
  }
  return requireSecure(url);
}

/** The whole file, or undefined where the server says 404. Throws ADVISORIES_UNREACHABLE (retryable) where it does not
 *  answer, TOO_LARGE past maxBytes, INSECURE_TRANSPORT. */
export async function fetchFile(
  url: URL,
  maxBytes: number,
  options: DownloadOptions,
): Promise<Uint8Array | undefined> {
  return retrying(url, options, async (response) => {
    const body = await readBody(response, maxBytes);
    if (body === undefined) throw tooLarge(url, maxBytes);
    return body;
  });
}

export interface TemporaryFile {
  readonly path: string;
  remove(): Promise<void>;
}

/** The file in a folder of its own under the system's temporary one, or undefined where the server says 404: an archive
 *  of a large ecosystem has hundreds of megabytes, which memory is too dear for. Throws as fetchFile does. */
export async function fetchToTemporaryFile(
  url: URL,
  maxBytes: number,
  options: DownloadOptions,
): Promise<TemporaryFile | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'plimsoll-feed-'));
  const path = join(folder, 'download');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const written = await retrying(url, options, async (response) => {
      await pipeline(Readable.from(bounded(response.body, url, maxBytes)), createWriteStream(path));
      return true;
    });
    if (written !== undefined) return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
  await remove();
  return undefined;
}

async function* bounded(
  body: AsyncIterable<Uint8Array>,
  url: URL,
  maxBytes: number,
): AsyncIterable<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(url, maxBytes);
    yield chunk;
  }
}

async function retrying<T>(
  url: URL,
  options: DownloadOptions,
  consume: (response: HttpResponse) => Promise<T>,
): Promise<T | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    let failure: unknown;
    let asked: number | undefined;
    try {
      const response = await sendFollowing(url, options);
      if (response.status === 200) return await consume(response);
      response.discard();
      if (response.status === 404) return undefined;
      failure = new Error(`status ${response.status}`);
      asked = parseRetryAfterMs(headerOf(response.headers, 'retry-after'), new Date());
      if (response.status !== 429 && response.status < 500) throw unreachable(url, failure, false);
    } catch (error) {
      if (!isNetworkError(error)) throw error;
      failure = error;
    }
    if (attempt >= options.retries.attempts) throw unreachable(url, failure, true);
    const delayMs = Math.max(asked ?? 0, backoffMs(attempt, options.retries, Math.random));
    await waitMs(Math.min(delayMs, options.retries.maxDelayMs), options.signal);
  }
}

async function sendFollowing(start: URL, options: DownloadOptions): Promise<HttpResponse> {
  let url = start;
  for (let hop = 0; ; hop += 1) {
    const response = await options.http.send({
      method: 'GET',
      url: requireSecure(url),
      headers: { accept: '*/*' },
      idleTimeoutMs: options.idleTimeoutMs,
      signal: options.signal,
    });
    if (response.status < 300 || response.status >= 400) return response;
    const target = URL.parse(headerOf(response.headers, 'location') ?? '', url.href);
    response.discard();
    if (target === null || hop === maxRedirects) throw unreachable(start, new Error('redirects'), false);
    url = requireOutward(url, target);
  }
}

/** The target of a redirect. A feed elsewhere must not lead to what only this machine or its network can reach. */
function requireOutward(from: URL, target: URL): URL {
  if (isLoopbackHost(from.host)) return target;
  const name = hostNameOf(target.host);
  if (!isLoopbackHost(target.host) && (isIP(name) === 0 || isPublicAddress(name))) return target;
  throw new PlimsollError(
    'INSECURE_TRANSPORT',
    `${from.origin}: redirects to ${target.host}, which is no public address; it was not followed`,
  );
}

function requireSecure(url: URL): URL {
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.host))) return url;
  throw new PlimsollError(
    'INSECURE_TRANSPORT',
    `${url.origin}: expected https for a feed (http is for this machine only), found ${url.protocol}`,
  );
}

function tooLarge(url: URL, maxBytes: number): PlimsollError {
  return new PlimsollError('TOO_LARGE', `${url.href}: expected at most ${maxBytes} bytes, found more`);
}

function unreachable(url: URL, cause: unknown, retryable: boolean): PlimsollError {
  const found = cause instanceof Error ? cause.message : 'no answer';
  return new PlimsollError(
    'ADVISORIES_UNREACHABLE',
    `${url.href}: expected a file of advisories, found ${found}`,
    {
      cause,
      retryable,
    },
  );
}
