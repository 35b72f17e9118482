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
  /** Secrets that are served stale while the vault is down: the tokens of webhooks, for their senders try once. */
  readonly mayBeStale: (name: string) => boolean;
  /** True for the stand-in of one machine, whose host is no vault of the audience that it names. */
  readonly allowOtherAudience?: boolean;
  readonly timings?: Partial<SecretTimings>;
}

export interface SecretTimings {
  /** How long a value is served without asking. */
  readonly freshMs: number;
  /** How long an absence is believed: a secret that was just made should work soon. */
  readonly absentMs: number;
  /** Age up to which a value is served while the vault is down. */
  readonly staleMs: number;
  /** How long the vault is left alone after it failed, while a stale value is at hand. */
  readonly pauseMs: number;
  /** Longest wait for the vault. */
  readonly timeoutMs: number;
}

const defaultTimings: SecretTimings = {
  freshMs: 5 * 60_000,
  absentMs: 15_000,
  staleMs: 60 * 60_000,
  pauseMs: 15_000,
  timeoutMs: 5_000,
};

/** Most names kept: they come from settings and subscriptions. */
const maxCached = 1_000;

/** Readers of one name at the same moment share one request. A secret that is disabled, not yet valid or expired counts
 *  as absent: the vault itself serves the last two all the same. */
export function createKeyVaultSecrets(options: KeyVaultOptions): Secrets {
  const timings = { ...defaultTimings, ...options.timings };
  const nowMs = () => options.clock.now().getTime();
  const client = new SecretClient(options.vaultUri, options.credential, {
    retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 500 },
    disableChallengeResourceVerification: options.allowOtherAudience ?? false,
  });
  const kept = new Map<string, Kept>();
  const underway = new Map<string, Promise<string | undefined>>();

  async function fetch(name: string): Promise<string | undefined> {
    try {
      const abortSignal = AbortSignal.timeout(timings.timeoutMs);
      const secret = await client.getSecret(name, { abortSignal });
      const { enabled, expiresOn, notBefore } = secret.properties;
      const isOver = expiresOn !== undefined && expiresOn.getTime() <= nowMs();
      const isEarly = notBefore !== undefined && notBefore.getTime() > nowMs();
      return keep(name, enabled === false || isOver || isEarly ? undefined : secret.value);
    } catch (error) {
      // 404: there is none. 403 with this code: it is disabled; a 403 without means that the identity has no role.
      if (serviceCodeOf(error) === 'SecretNotFound' || isDisabled(error)) return keep(name, undefined);
      const stale = kept.get(name);
      const isServable = stale?.value !== undefined && options.mayBeStale(name);
      if (isServable && nowMs() - stale.readAtMs < timings.staleMs) {
        kept.set(name, { ...stale, askAgainAtMs: nowMs() + timings.pauseMs });
        return stale.value;
      }
      throw unavailable('SECRET_UNAVAILABLE', `reading secret ${name} from Key Vault`, error);
    }
  }

  function keep(name: string, value: string | undefined): string | undefined {
    if (kept.size >= maxCached) kept.clear();
    const readAtMs = nowMs();
    const lastsMs = value === undefined ? timings.absentMs : timings.freshMs;
    kept.set(name, { value, readAtMs, askAgainAtMs: readAtMs + lastsMs });
    return value;
  }

  return {
    async read(name) {
      checkSecretName(name);
      const known = kept.get(name);
      if (known !== undefined && nowMs() < known.askAgainAtMs) return known.value;
      const shared = underway.get(name);
      if (shared !== undefined) return shared;
      const fetching = fetch(name).finally(() => underway.delete(name));
      underway.set(name, fetching);
      return fetching;
    },
  };
}

interface Kept {
  readonly value: string | undefined;
  readonly readAtMs: number;
  readonly askAgainAtMs: number;
}

function isDisabled(error: unknown): boolean {
  return (
    statusOf(error) === 403 && error instanceof Error && /SecretDisabled|disabled secret/i.test(error.message)
  );
}
