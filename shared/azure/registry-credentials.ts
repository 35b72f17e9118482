/** What a registry is shown: read from Key Vault or the identity at the moment of use. */
import type { TokenCredential } from '@azure/identity';
import { PlimsollError } from '../domain/errors.ts';
import type { CredentialsFor } from '../image/registry-auth.ts';
import type { Secrets } from '../ports/secrets.ts';
import { createRegistryTokens } from './identity.ts';

/** Throws SECRET_NOT_FOUND where a secret that the settings name does not exist, SECRET_UNAVAILABLE (retryable). */
export function createRegistryCredentials(secrets: Secrets, identity: TokenCredential): CredentialsFor {
  const tokenFor = createRegistryTokens(identity);

  async function required(name: string, host: string): Promise<string> {
    const value = await secrets.read(name);
    if (value !== undefined) return value;
    throw new PlimsollError(
      'SECRET_NOT_FOUND',
      `registry ${host} signs in with secret ${name}, of which Key Vault has no enabled version: set it or name another`,
    );
  }

  return async ({ host, auth }) => {
    if (auth.kind === 'anonymous') return { kind: 'anonymous' };
    if (auth.kind === 'basic') {
      const [user, password] = await Promise.all([
        required(auth.userSecret, host),
        required(auth.passwordSecret, host),
      ]);
      return { kind: 'basic', user, password };
    }
    const tenant = auth.tenantId === undefined ? {} : { tenantId: auth.tenantId };
    return { kind: 'entra', ...tenant, token: () => tokenFor(auth) };
  };
}
