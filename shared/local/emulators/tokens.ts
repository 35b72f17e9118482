/** Tokens of the local identity: shaped like Entra's, unsigned, believed by the emulators of this machine alone. */
import { z } from 'zod';

/** Any tenant and client will do; these are recognisable. */
const tenantId = '00000000-0000-4000-8000-000000000001';
export const localClientId = '00000000-0000-4000-8000-000000000002';

/** How long a token is valid, in seconds. MSAL renews it well before. */
const validSeconds = 24 * 60 * 60;

export interface LocalToken {
  readonly accessToken: string;
  /** Unix seconds. */
  readonly expiresOn: number;
}

/** A token for a resource (`https://storage.azure.com`). Azurite checks iss, aud, iat, nbf and exp. */
export function issueToken(resource: string, now: Date): LocalToken {
  // A client whose clock is behind must not find it not yet valid.
  const issuedAt = Math.floor(now.getTime() / 1000) - 60;
  const expiresOn = issuedAt + validSeconds;
  const claims = {
    aud: resource,
    iss: `https://sts.windows.net/${tenantId}/`,
    iat: issuedAt,
    nbf: issuedAt,
    exp: expiresOn,
    appid: localClientId,
    oid: localClientId,
    sub: localClientId,
    tid: tenantId,
    ver: '1.0',
  };
  const accessToken = `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.${encode({ local: true })}`;
  return { accessToken, expiresOn };
}

/** The claims of a token that issueToken made and that is valid now; undefined for anything else. */
export function readTokenClaims(token: string, now: Date): { readonly aud: string } | undefined {
  const [, payload = ''] = token.split('.');
  const parsed = claimsSchema.safeParse(decode(payload));
  const nowSeconds = now.getTime() / 1000;
  if (!parsed.success || parsed.data.nbf > nowSeconds || parsed.data.exp <= nowSeconds) return undefined;
  return { aud: parsed.data.aud };
}

const claimsSchema = z.object({ aud: z.string(), nbf: z.number(), exp: z.number() });

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
