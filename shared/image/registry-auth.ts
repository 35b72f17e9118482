/** Answers a registry's challenge: Basic, Bearer tokens and ACR's exchange of an Entra token, cached until they expire. */
import { z } from 'zod';
import { hostNameOf, isLoopbackHost } from '../base/addresses.ts';
import { headerOf } from '../base/http.ts';
import { PlimsollError } from '../domain/errors.ts';
import { type BearerChallenge, type Challenge, parseChallenge } from './registry-challenge.ts';
import type { RegistryEndpoint, ResolvedEndpoint } from './registry-endpoints.ts';
import {
  checkRedirect,
  guardedLookup,
  readWhole,
  refusalOf,
  refused,
  sendWithRetry,
  type TransportOptions,
  type TransportRequest,
} from './registry-transport.ts';

/** What a registry is shown, read at the moment of use. */
export type RegistryCredentials =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  /** `token` gives an Entra access token for `https://containerregistry.azure.net/.default`. */
  | { readonly kind: 'entra'; readonly tenantId?: string; readonly token: () => Promise<string> }
  /** A refresh token, as the Docker configuration keeps it (`identitytoken`). */
  | { readonly kind: 'refresh-token'; readonly refreshToken: string };

/** Throws SECRET_UNAVAILABLE, SECRET_NOT_FOUND, UNAUTHORIZED. */
export type CredentialsFor = (endpoint: RegistryEndpoint) => Promise<RegistryCredentials>;

export interface Authorizer {
  /** `Authorization` that served this repository before, or undefined. Fetches a new token where the old one ran out. */
  known(endpoint: ResolvedEndpoint, repository: string): Promise<string | undefined>;
  /** `Authorization` that answers a `WWW-Authenticate` header; undefined where nothing better than `used` can be
   *  offered, which makes the refusal final. Throws UNAUTHORIZED, FORBIDDEN, REGISTRY_REFUSED, INSECURE_TRANSPORT. */
  answer(
    endpoint: ResolvedEndpoint,
    repository: string,
    header: string | undefined,
    used: string | undefined,
  ): Promise<string | undefined>;
}

/** Most tokens, and most challenges, that are remembered; the oldest goes first. */
export const maxCachedTokens = 1_000;
/** Lifetime of a token that names none (distribution's token specification). */
const defaultTokenSeconds = 60;
/** ACR says about three hours; this is for a refresh token without a readable `exp`. */
const defaultRefreshSeconds = 600;
/** How long before its end a token counts as over: the request still has to travel. */
const expiryMarginMs = 10_000;
const maxTokenAnswerBytes = 256 * 1024;

export function createAuthorizer(options: TransportOptions, credentialsFor: CredentialsFor): Authorizer {
  const challenges = new Map<string, Challenge>();
  const tokens = new Map<string, CachedToken>();
  const pending = new Map<string, Promise<CachedToken>>();

  async function headerFor(
    endpoint: ResolvedEndpoint,
    repository: string,
    challenge: Challenge,
    used: string | undefined,
  ): Promise<string | undefined> {
    if (challenge.scheme === 'basic') {
      const header = basicHeader(await credentialsFor(endpoint));
      return header === used ? undefined : header;
    }
    const key = JSON.stringify([
      endpoint.host,
      challenge.realm,
      challenge.service,
      challenge.scopes,
      repository,
    ]);
    const cached = tokens.get(key);
    if (cached !== undefined && cached.header !== used && cached.expiresAtMs > options.now().getTime()) {
      return cached.header;
    }
    tokens.delete(key);
    const fetching = pending.get(key) ?? fetchToken(endpoint, repository, challenge);
    pending.set(key, fetching);
    try {
      const token = await fetching;
      remember(tokens, key, token);
      return token.header;
    } finally {
      pending.delete(key);
    }
  }

  async function fetchToken(
    endpoint: ResolvedEndpoint,
    repository: string,
    challenge: BearerChallenge,
  ): Promise<CachedToken> {
    const credentials = await credentialsFor(endpoint);
    const realm = checkRealm(endpoint, challenge.realm, credentials);
    const scopes = challenge.scopes.length > 0 ? challenge.scopes : [`repository:${repository}:pull`];
    if (credentials.kind === 'entra') {
      return tokenFromEntra(endpoint, challenge.service, scopes, credentials);
    }
    if (credentials.kind === 'refresh-token') {
      const form = {
        grant_type: 'refresh_token',
        service: challenge.service ?? hostNameOf(endpoint.host),
        scope: scopes.join(' '),
        client_id: 'plimsoll',
        refresh_token: credentials.refreshToken,
      };
      return toCached(await requestToken(postForm(realm.url, form), options), options.now());
    }
    const url = new URL(realm.url);
    if (challenge.service !== undefined) url.searchParams.set('service', challenge.service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    const authorization = basicHeader(credentials);
    const headers = { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) };
    const lookup = realm.isTrusted ? undefined : guardedLookup(options, false);
    const answer = await requestToken({ method: 'GET', url, headers }, options, lookup);
    return toCached(answer, options.now());
  }

  /** Entra token → refresh token → access token (Azure/acr, docs/AAD-OAuth.md). */
  async function tokenFromEntra(
    endpoint: ResolvedEndpoint,
    service: string | undefined,
    scopes: readonly string[],
    credentials: Extract<RegistryCredentials, { kind: 'entra' }>,
  ): Promise<CachedToken> {
    const key = JSON.stringify(['refresh token', endpoint.host]);
    const shared = { service: service ?? endpoint.host };
    const stored = tokens.get(key);
    const isFresh = stored !== undefined && stored.expiresAtMs > options.now().getTime();
    let refreshToken = isFresh ? stored.header : undefined;
    if (refreshToken === undefined) {
      const tenant = credentials.tenantId === undefined ? {} : { tenant: credentials.tenantId };
      const form = {
        grant_type: 'access_token',
        ...shared,
        ...tenant,
        access_token: await credentials.token(),
      };
      const url = new URL('/oauth2/exchange', endpoint.origin);
      refreshToken = (await requestToken(postForm(url, form), options)).refresh_token;
      if (refreshToken === undefined) throw refused(url, 'answered without a refresh_token');
      const expiresAtMs = jwtExpiryMs(refreshToken) ?? options.now().getTime() + defaultRefreshSeconds * 1000;
      remember(tokens, key, { header: refreshToken, expiresAtMs: expiresAtMs - expiryMarginMs });
    }
    const form = {
      grant_type: 'refresh_token',
      ...shared,
      scope: scopes.join(' '),
      refresh_token: refreshToken,
    };
    try {
      const url = new URL('/oauth2/token', endpoint.origin);
      return toCached(await requestToken(postForm(url, form), options), options.now());
    } catch (error) {
      tokens.delete(key);
      // A refresh token from the cache may have been revoked since; a new one is asked for once.
      if (!isFresh || !(error instanceof PlimsollError) || error.code !== 'UNAUTHORIZED') throw error;
      return tokenFromEntra(endpoint, service, scopes, credentials);
    }
  }

  return {
    async known(endpoint, repository) {
      const challenge = challenges.get(challengeKey(endpoint, repository));
      return challenge === undefined ? undefined : headerFor(endpoint, repository, challenge, undefined);
    },
    async answer(endpoint, repository, header, used) {
      const challenge = parseChallenge(header);
      if (challenge === undefined) return undefined;
      const authorization = await headerFor(endpoint, repository, challenge, used);
      if (authorization !== undefined) {
        remember(challenges, challengeKey(endpoint, repository), challenge);
      }
      return authorization;
    },
  };
}

interface CachedToken {
  readonly header: string;
  readonly expiresAtMs: number;
}

/** Visible ASCII: anything else would end the header or start another one. */
const token = z
  .string()
  .max(128 * 1024)
  .regex(/^[\x21-\x7e]*$/);
const tokenAnswer = z.object({
  token: token.optional(),
  access_token: token.optional(),
  refresh_token: token.optional(),
  expires_in: z.number().min(0).max(86_400).optional().catch(undefined),
});
type TokenAnswer = z.infer<typeof tokenAnswer>;

/** A realm comes from the registry and could be anybody's, so credentials go to its own host and the configured ones
 *  only. Anonymous tokens may come from any public https host, as blobs may. */
function checkRealm(
  endpoint: ResolvedEndpoint,
  realm: string,
  credentials: RegistryCredentials,
): { url: URL; isTrusted: boolean } {
  const origin = new URL(endpoint.origin);
  const url = URL.parse(realm);
  if (url === null || url.username !== '' || url.password !== '') {
    throw refused(origin, 'names a token realm that is no plain URL');
  }
  checkRedirect(origin, url, { isLoopback: endpoint.isLoopback, allowsPrivate: true });
  const own = [origin.host, endpoint.host, ...endpoint.aliases, ...(endpoint.tokenHosts ?? [])];
  const isTrusted =
    own.some((host) => hostNameOf(host).toLowerCase() === hostNameOf(url.host)) ||
    (endpoint.isLoopback && isLoopbackHost(url.host));
  if (!isTrusted && credentials.kind !== 'anonymous') {
    throw refused(
      origin,
      `sends to ${url.host} for a token, where its credentials are not sent: add "tokenHosts": ["${url.host}"] to the registry if that is right`,
    );
  }
  if (!isTrusted) checkRedirect(origin, url, { isLoopback: endpoint.isLoopback, allowsPrivate: false });
  return { url, isTrusted };
}

/** Tokens are not fetched through redirects: the form or header holds the credentials. */
async function requestToken(
  request: TransportRequest,
  options: TransportOptions,
  lookup?: ReturnType<typeof guardedLookup>,
): Promise<TokenAnswer> {
  const response = await sendWithRetry(request, options, lookup);
  if (response.status !== 200) throw await refusalOf(response, request.url);
  const bytes = await readWhole(response, maxTokenAnswerBytes, request.url.origin);
  const parsed = tokenAnswer.safeParse(parseJson(bytes));
  if (!parsed.success) throw refused(request.url, 'answered with something that is no token');
  return parsed.data;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function toCached(answer: TokenAnswer, now: Date): CachedToken {
  const value = answer.token ?? answer.access_token;
  if (value === undefined || value === '') {
    throw new PlimsollError(
      'UNAUTHORIZED',
      'the token service of the registry gave no token: check the credentials',
    );
  }
  const statedMs =
    answer.expires_in === undefined ? jwtExpiryMs(value) : now.getTime() + answer.expires_in * 1000;
  const expiresAtMs = statedMs ?? now.getTime() + defaultTokenSeconds * 1000;
  return { header: `Bearer ${value}`, expiresAtMs: expiresAtMs - expiryMarginMs };
}

/** `exp` of a JWT in milliseconds, not verified: it only says how long to keep what was just handed over. */
function jwtExpiryMs(jwt: string): number | undefined {
  const payload = jwt.split('.', 3)[1];
  if (payload === undefined) return undefined;
  const parsed = z
    .object({ exp: z.number().min(0).max(1e11) })
    .safeParse(parseJson(Buffer.from(payload, 'base64url')));
  return parsed.success ? parsed.data.exp * 1000 : undefined;
}

function postForm(url: URL, form: Readonly<Record<string, string>>): TransportRequest {
  return {
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  };
}

function basicHeader(credentials: RegistryCredentials): string | undefined {
  if (credentials.kind !== 'basic') return undefined;
  return `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`;
}

function challengeKey(endpoint: ResolvedEndpoint, repository: string): string {
  return `${endpoint.host}/${repository}`;
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > maxCachedTokens && oldest.done !== true) map.delete(oldest.value);
}

/** All values of `WWW-Authenticate`, which Node joins with commas. */
export function challengeHeader(headers: Parameters<typeof headerOf>[0]): string | undefined {
  return headerOf(headers, 'www-authenticate');
}
