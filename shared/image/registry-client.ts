/** Pulls from registries (distribution-spec, "Pull"): tags, manifests and blobs, verified or streamed. */
import { createHash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { createHttpClient, type HttpResponse, headerOf } from '../base/http.ts';
import type { RetryTimings } from '../base/retry.ts';
import { type Digest, digestOf, parseDigest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { isRepository, isTag } from '../domain/reference.ts';
import { manifestMediaType, maxManifestBytes } from './manifest.ts';
import { acceptedManifestTypes } from './media-types.ts';
import { type CredentialsFor, challengeHeader, createAuthorizer } from './registry-auth.ts';
import { announcedSize, readResumed } from './registry-blob-stream.ts';
import { parseChallenge } from './registry-challenge.ts';
import { apiRepository, createEndpointLookup, type RegistryEndpoint } from './registry-endpoints.ts';
import { defaultPace, type Pace } from './registry-pace.ts';
import {
  followRedirects,
  isRedirect,
  readWhole,
  refusalOf,
  sendWithRetry,
  type TransportOptions,
  tooLarge,
} from './registry-transport.ts';

export interface RegistryRepository {
  readonly registry: string;
  readonly repository: string;
}

export interface PulledManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface PulledBlob {
  /** Compressed size that the registry announced, where it did. */
  readonly sizeBytes: number | undefined;
  /** Not verified: the reader hashes. Read it or abort the signal, else its connection stays. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** What ports/registry.ts asks for; a test holds that the two fit. Every method throws REGISTRY_NOT_CONFIGURED,
 *  REGISTRY_UNREACHABLE and REGISTRY_THROTTLED (both retryable), UNAUTHORIZED, FORBIDDEN, INSECURE_TRANSPORT,
 *  REGISTRY_REFUSED, INVALID_REFERENCE. */
export interface RegistryClient {
  resolveTag(where: RegistryRepository, tag: string): Promise<Digest | undefined>;
  /** Throws DIGEST_MISMATCH, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, INVALID_MANIFEST. */
  manifest(where: RegistryRepository, digest: Digest): Promise<PulledManifest | undefined>;
  hasManifest(where: RegistryRepository, digest: Digest): Promise<boolean>;
  hasBlob(where: RegistryRepository, digest: Digest): Promise<boolean>;
  /** Throws DIGEST_MISMATCH, TOO_LARGE. */
  blob(where: RegistryRepository, digest: Digest, maxBytes: number): Promise<Uint8Array | undefined>;
  openBlob(where: RegistryRepository, digest: Digest, signal?: AbortSignal): Promise<PulledBlob | undefined>;
  /** Closes idle connections. */
  close(): void;
}

export interface RegistryClientOptions {
  readonly registries: readonly RegistryEndpoint[];
  /** True on one machine: every loopback registry counts as configured. */
  readonly allowLoopback: boolean;
  readonly credentials: CredentialsFor;
  readonly retry?: RetryTimings;
  /** How long no byte may come, in milliseconds. */
  readonly idleTimeoutMs?: number;
  /** How slowly bytes may come. */
  readonly pace?: Pace;
  readonly now?: () => Date;
  readonly random?: () => number;
  readonly lookup?: LookupFunction;
  /** Certificates (PEM) to trust instead of the usual ones. */
  readonly ca?: string;
  readonly userAgent?: string;
}

/** Some seconds in all: whoever called has a queue or a person behind it that tries again later. */
export const defaultRetry: RetryTimings = { attempts: 4, baseDelayMs: 500, maxDelayMs: 10_000 };
export const defaultIdleTimeoutMs = 30_000;

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const http = createHttpClient(options);
  const transport: TransportOptions = {
    http,
    retry: options.retry ?? defaultRetry,
    idleTimeoutMs: options.idleTimeoutMs ?? defaultIdleTimeoutMs,
    pace: options.pace ?? defaultPace,
    now: options.now ?? (() => new Date()),
    random: options.random ?? Math.random,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  };
  const endpointOf = createEndpointLookup(options.registries, options.allowLoopback);
  const authorizer = createAuthorizer(transport, options.credentials);
  const userAgent = options.userAgent ?? 'plimsoll';

  /** Undefined for 404; throws for every answer but 2xx and, where they are not followed, redirects. */
  async function ask(where: RegistryRepository, call: Call): Promise<HttpResponse | undefined> {
    const endpoint = endpointOf(where.registry);
    const repository = apiRepository(endpoint, requireRepository(where.repository));
    const url = new URL(`/v2/${repository}/${call.path}`, endpoint.origin);
    const headers = { ...call.headers, 'accept-encoding': 'identity', 'user-agent': userAgent };
    const used = await authorizer.known(endpoint, repository);
    let authorization = used;
    let response = await sendAs(url, call, headers, authorization);
    if (response.status === 401 || wantsMoreScope(response)) {
      const challenge = challengeHeader(response.headers);
      authorization = await authorizer.answer(endpoint, repository, challenge, used);
      if (authorization !== undefined) {
        response.discard();
        response = await sendAs(url, call, headers, authorization);
      }
    }
    const isRedirected = call.followsRedirects && isRedirect(response);
    if (isRedirected) {
      const request = {
        method: call.method,
        url,
        headers: withAuthorization(headers, authorization),
        signal: call.signal,
      };
      response = await followRedirects(request, response, transport);
    }
    if (response.status === 404) {
      response.discard();
      return undefined;
    }
    const isFine = response.status >= 200 && response.status < 300;
    const isGivenElsewhere = !call.followsRedirects && isRedirect(response);
    if (!isFine && !isGivenElsewhere) throw await refusalOf(response, url, isRedirected);
    return response;
  }

  function sendAs(
    url: URL,
    call: Call,
    headers: Readonly<Record<string, string>>,
    authorization: string | undefined,
  ): Promise<HttpResponse> {
    const request = {
      method: call.method,
      url,
      headers: withAuthorization(headers, authorization),
      signal: call.signal,
    };
    return sendWithRetry(request, transport);
  }

  async function pullManifest(
    where: RegistryRepository,
    reference: string,
  ): Promise<PulledManifest | undefined> {
    const name = `manifest ${reference} of ${where.registry}/${where.repository}`;
    const response = await ask(where, {
      method: 'GET',
      path: `manifests/${reference}`,
      headers: acceptManifests,
      followsRedirects: true,
    });
    if (response === undefined) return undefined;
    const bytes = await readWhole(response, maxManifestBytes, name);
    const mediaType = manifestMediaType(bytes, headerOf(response.headers, 'content-type') ?? '', name);
    return { digest: digestOf(bytes), mediaType, bytes };
  }

  async function openBlob(
    where: RegistryRepository,
    digest: Digest,
    signal?: AbortSignal,
  ): Promise<PulledBlob | undefined> {
    const path = `blobs/${digest}`;
    const open = (headers: Readonly<Record<string, string>>): Promise<HttpResponse | undefined> =>
      ask(where, { method: 'GET', path, headers, followsRedirects: true, signal });
    const first = await open({});
    if (first === undefined) return undefined;
    const name = `blob ${digest} of ${where.registry}/${where.repository}`;
    if (first.status !== 200) {
      first.discard();
      throw new PlimsollError('REGISTRY_REFUSED', `${name}: expected status 200, found ${first.status}`);
    }
    const transfer = { open, name, retry: transport.retry, random: transport.random, signal };
    return { sizeBytes: announcedSize(first), bytes: readResumed(first, transfer) };
  }

  return {
    async resolveTag(where, tag) {
      const path = `manifests/${requireTag(tag)}`;
      const response = await ask(where, {
        method: 'HEAD',
        path,
        headers: acceptManifests,
        followsRedirects: true,
      });
      if (response === undefined) return undefined;
      response.discard();
      const digest = parseDigest(headerOf(response.headers, 'docker-content-digest') ?? '');
      return digest ?? (await pullManifest(where, tag))?.digest;
    },
    async manifest(where, digest) {
      const pulled = await pullManifest(where, digest);
      if (pulled !== undefined && pulled.digest !== digest) {
        throw mismatch(`manifest ${digest} of ${where.registry}/${where.repository}`, pulled.digest);
      }
      return pulled;
    },
    async hasManifest(where, digest) {
      const path = `manifests/${digest}`;
      const response = await ask(where, {
        method: 'HEAD',
        path,
        headers: acceptManifests,
        followsRedirects: false,
      });
      response?.discard();
      return response !== undefined;
    },
    async hasBlob(where, digest) {
      const response = await ask(where, {
        method: 'HEAD',
        path: `blobs/${digest}`,
        headers: {},
        followsRedirects: false,
      });
      response?.discard();
      return response !== undefined;
    },
    async blob(where, digest, maxBytes) {
      const name = `blob ${digest} of ${where.registry}/${where.repository}`;
      const opened = await openBlob(where, digest);
      if (opened === undefined) return undefined;
      const hash = createHash('sha256');
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of opened.bytes) {
        size += chunk.byteLength;
        if (size > maxBytes) throw tooLarge(name, maxBytes);
        hash.update(chunk);
        chunks.push(chunk);
      }
      const found = `sha256:${hash.digest('hex')}`;
      if (found !== digest) throw mismatch(name, found);
      return Buffer.concat(chunks, size);
    },
    openBlob,
    close: () => http.close(),
  };
}

interface Call {
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly followsRedirects: boolean;
  readonly signal?: AbortSignal | undefined;
}

const acceptManifests = { accept: acceptedManifestTypes.join(', ') };

function withAuthorization(
  headers: Readonly<Record<string, string>>,
  authorization: string | undefined,
): Record<string, string> {
  return authorization === undefined ? { ...headers } : { ...headers, authorization };
}

/** A token may hold fewer rights than were asked for; some registries then answer 403 with a challenge. */
function wantsMoreScope(response: HttpResponse): boolean {
  if (response.status !== 403) return false;
  const challenge = parseChallenge(challengeHeader(response.headers));
  return challenge?.scheme === 'bearer' && challenge.error === 'insufficient_scope';
}

/** Names stand in the path of a URL, so nothing but a name may come here. */
function requireRepository(repository: string): string {
  if (isRepository(repository)) return repository;
  throw new PlimsollError('INVALID_REFERENCE', `"${repository.slice(0, 300)}" is no repository name`);
}

function requireTag(tag: string): string {
  if (isTag(tag)) return tag;
  throw new PlimsollError('INVALID_REFERENCE', `"${tag.slice(0, 300)}" is no tag`);
}

function mismatch(name: string, found: string): PlimsollError {
  return new PlimsollError('DIGEST_MISMATCH', `${name}: the registry sent bytes with the digest ${found}`);
}
