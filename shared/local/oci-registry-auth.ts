/** How the local registry asks who is there: Basic, Bearer with a token service of its own, or as ACR does. */
import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export type OciRegistryAuth =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | {
      readonly kind: 'bearer';
      /** Absent: anybody gets a token. */
      readonly user?: string;
      readonly password?: string;
      readonly tokenSeconds?: number;
      /** Token service to name instead of its own. */
      readonly realm?: string;
    }
  /** Takes this Entra token at /oauth2/exchange and gives tokens at /oauth2/token. */
  | { readonly kind: 'acr'; readonly entraToken: string; readonly tokenSeconds?: number };

export interface Gatekeeper {
  /** `WWW-Authenticate` to answer 401 with, or undefined where the request may pass. */
  challenge(request: IncomingMessage, origin: string, repository: string | undefined): string | undefined;
  /** Status and JSON of a request to the token service; undefined where the path is none of its own. */
  answerToken(
    request: IncomingMessage,
    url: URL,
    form: URLSearchParams,
  ): { readonly status: number; readonly body: object } | undefined;
  /** Makes every token given so far worthless. */
  revokeTokens(): void;
}

const service = 'local-registry';

export function createGatekeeper(auth: OciRegistryAuth | undefined): Gatekeeper {
  const tokens = new Map<string, { readonly scopes: string; readonly expiresAtMs: number }>();
  const refreshTokens = new Set<string>();

  function giveToken(scopes: readonly string[], seconds = 300): { status: number; body: object } {
    const token = randomUUID();
    tokens.set(token, { scopes: scopes.join(' '), expiresAtMs: Date.now() + seconds * 1000 });
    return { status: 200, body: { token, access_token: token, expires_in: seconds } };
  }

  function mayPass(request: IncomingMessage, repository: string | undefined): boolean {
    const header = request.headers.authorization ?? '';
    if (auth === undefined) return true;
    if (auth.kind === 'basic') return isBasic(header, auth.user, auth.password);
    const token = tokens.get(header.replace(/^Bearer /i, ''));
    if (token === undefined || token.expiresAtMs < Date.now()) return false;
    return (
      repository === undefined ||
      token.scopes.split(' ').some((scope) => scope.startsWith(`repository:${repository}:`))
    );
  }

  return {
    challenge(request, origin, repository) {
      if (mayPass(request, repository)) return undefined;
      if (auth?.kind === 'basic') return 'Basic realm="local registry"';
      const realm = auth?.kind === 'acr' ? `${origin}/oauth2/token` : (auth?.realm ?? `${origin}/token`);
      const actions = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'pull,push';
      const scope = repository === undefined ? '' : `,scope="repository:${repository}:${actions}"`;
      return `Bearer realm="${realm}",service="${service}"${scope}`;
    },
    answerToken(request, url, form) {
      if (auth?.kind === 'bearer' && url.pathname === '/token') {
        const { user, password, tokenSeconds } = auth;
        const isKnown =
          user === undefined ||
          isBasic(request.headers.authorization ?? '', user, password ?? '') ||
          (form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === password);
        const scopes = [...url.searchParams.getAll('scope'), ...form.getAll('scope')];
        return isKnown ? giveToken(scopes, tokenSeconds) : denied;
      }
      if (auth?.kind === 'acr' && url.pathname === '/oauth2/exchange') {
        if (form.get('grant_type') !== 'access_token' || form.get('access_token') !== auth.entraToken)
          return denied;
        const refreshToken = randomUUID();
        refreshTokens.add(refreshToken);
        return { status: 200, body: { refresh_token: refreshToken } };
      }
      if (auth?.kind === 'acr' && url.pathname === '/oauth2/token') {
        const isKnown =
          form.get('grant_type') === 'refresh_token' && refreshTokens.has(form.get('refresh_token') ?? '');
        return isKnown ? giveToken(form.getAll('scope'), auth.tokenSeconds) : denied;
      }
      return undefined;
    },
    revokeTokens() {
      tokens.clear();
      refreshTokens.clear();
    },
  };
}

const denied = {
  status: 401,
  body: { errors: [{ code: 'UNAUTHORIZED', message: 'these credentials are not known here' }] },
};

function isBasic(header: string, user: string, password: string): boolean {
  const expected = Buffer.from(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`);
  const found = Buffer.from(header);
  return expected.byteLength === found.byteLength && timingSafeEqual(expected, found);
}
