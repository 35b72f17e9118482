/** The app's own identity on Azure, and the tokens it gets for others. */
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/identity';
import { ClientAssertionCredential, ManagedIdentityCredential } from '@azure/identity';
import { PlimsollError } from '../domain/errors.ts';
import { unavailable } from './sdk-errors.ts';

/** Longest wait for a token: a registry's webhook waits only seconds for its answer. */
const tokenTimeoutMs = 5_000;
/** Scope of the token that ACR exchanges for its own. */
const registryScope = 'https://containerregistry.azure.net/.default';
/** Scope of the assertion that a multi-tenant app trusts as a federated credential. */
const exchangeScope = 'api://AzureADTokenExchange/.default';
/** Most foreign apps whose credential is kept; settings name them, so this is a guard against a mistake. */
const maxForeignApps = 100;

/** The managed identity, user-assigned where a client id is given. Named outright instead of a chain of credentials, so
 *  that no developer's login or stray variable is ever used in its place. */
export function createIdentity(clientId?: string): TokenCredential {
  const credential = new ManagedIdentityCredential({
    ...(clientId === undefined ? {} : { clientId }),
    retryOptions: { maxRetries: 1, retryDelayInMs: 200 },
  });
  return withTimeLimit(credential, tokenTimeoutMs);
}

/** Who a registry wants to see: an app of another tenant, or the managed identity where nothing is named. */
export interface RegistryIdentity {
  readonly tenantId?: string;
  readonly clientId?: string;
}

/** Entra tokens for registries. Throws SECRET_UNAVAILABLE (retryable). */
export function createRegistryTokens(identity: TokenCredential): (who: RegistryIdentity) => Promise<string> {
  const foreign = new Map<string, TokenCredential>();

  function credentialFor({ tenantId, clientId }: RegistryIdentity): TokenCredential {
    if (tenantId === undefined || clientId === undefined) return identity;
    const name = `${tenantId}/${clientId}`;
    const known = foreign.get(name);
    if (known !== undefined) return known;
    const made = withTimeLimit(
      new ClientAssertionCredential(tenantId, clientId, () => tokenFor(identity, exchangeScope)),
      tokenTimeoutMs * 2,
    );
    if (foreign.size < maxForeignApps) foreign.set(name, made);
    return made;
  }

  return async (who) => {
    try {
      return await tokenFor(credentialFor(who), registryScope);
    } catch (error) {
      throw unavailable('SECRET_UNAVAILABLE', 'getting an Entra token for the registry', error);
    }
  };
}

async function tokenFor(credential: TokenCredential, scope: string): Promise<string> {
  const token = await credential.getToken(scope);
  if (token === null) {
    throw new PlimsollError('SECRET_UNAVAILABLE', `the identity gave no token for ${scope}`, {
      retryable: true,
    });
  }
  return token.token;
}

/** The same credential, which throws SECRET_UNAVAILABLE after the time: the identity's client heeds no signal. */
function withTimeLimit(credential: TokenCredential, timeoutMs: number): TokenCredential {
  return {
    async getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> {
      let timer: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          const message = `the identity endpoint gave no token within ${timeoutMs} ms`;
          reject(new PlimsollError('SECRET_UNAVAILABLE', message, { retryable: true }));
        }, timeoutMs);
      });
      try {
        return await Promise.race([credential.getToken(scopes, options), tooLate]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
