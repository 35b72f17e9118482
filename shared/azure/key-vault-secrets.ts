/** Secrets from Key Vault, cached for minutes. */

import type { TokenCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import type { Clock } from '../ports/clock.ts';
import { checkSecretName } from '../ports/limits.ts';
import type { Secrets } from '../ports/secrets.ts';
import { serviceCodeOf, statusOf, unavailable } from './sdk-errors.ts';

export interface KeyVaultOptions {
  /** `https://<name>.vault.azure.net`. */
  readonly vaultUri: string;
  readonly credential: TokenCredential;
  readonly clock: Clock;
  /** Secrets whose reader keeps them itself and asks anew when it has to: the tokens of webhooks. They are never
   *  answered from the cache here, else a rotated token would be refused for its whole lifetime. */
  readonly isCachedByReader?: (name: string) => boolean;
  /** True for the stand-in of one machine, whose host is no vault of the audience that it names. */
  readonly allowOtherAudience?: boolean;
  /** How long a value is served without asking. */
  readonly freshMs?: number;
  /** How long an absence is believed: a secret that was just made should work soon. */
  readonly absentMs?: number;
  /** Longest wait for the vault. */
  readonly timeoutMs?: number;
}

/** Most names kept: they come from settings and subscriptions. */
const maxCached = 1_000;

/** Readers of one name at the same moment share one request. A secret that is disabled, not yet valid or expired counts
 *  as absent: the vault itself serves the last two all the same. */
export function createKeyVaultSecrets(options: KeyVaultOptions): Secrets {
  const { freshMs = 5 * 60_000, absentMs = 15_000, timeoutMs = 5_000 } = options;
  const nowMs = () => options.clock.now().getTime();
  const client = new SecretClient(options.vaultUri, options.credential, {
    retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 500 },
    disableChallengeResourceVerification: options.allowOtherAudience ?? false,
  });
  const kept = new Map<string, Kept>();
  const underway = new Map<string, Promise<string | undefined>>();

  async function fetchSecret(name: string): Promise<string | undefined> {
    try {
      const secret = await client.getSecret(name, { abortSignal: AbortSignal.timeout(timeoutMs) });
      const { enabled, expiresOn, notBefore } = secret.properties;
      const isOver = expiresOn !== undefined && expiresOn.getTime() <= nowMs();
      const isEarly = notBefore !== undefined && notBefore.getTime() > nowMs();
      return keep(name, enabled === false || isOver || isEarly ? undefined : secret.value);
    } catch (error) {
      if (serviceCodeOf(error) === 'SecretNotFound' || isDisabled(error)) return keep(name, undefined);
      throw unavailable('SECRET_UNAVAILABLE', `reading secret ${name} from Key Vault`, error);
    }
  }

  function keep(name: string, value: string | undefined): string | undefined {
    if (options.isCachedByReader?.(name) === true) return value;
    if (kept.size >= maxCached) kept.clear();
    kept.set(name, { value, endsAtMs: nowMs() + (value === undefined ? absentMs : freshMs) });
    return value;
  }

  return {
    async read(name) {
      checkSecretName(name);
      const known = kept.get(name);
      if (known !== undefined && nowMs() < known.endsAtMs) return known.value;
      const shared = underway.get(name);
      if (shared !== undefined) return shared;
      const fetching = fetchSecret(name).finally(() => underway.delete(name));
      underway.set(name, fetching);
      return fetching;
    },
  };
}

interface Kept {
  readonly value: string | undefined;
  readonly endsAtMs: number;
}

/** The vault answers 403 for a disabled secret; without this inner code a 403 means that the identity has no role. */
function isDisabled(error: unknown): boolean {
  return (
    statusOf(error) === 403 && error instanceof Error && /SecretDisabled|disabled secret/i.test(error.message)
  );
}
