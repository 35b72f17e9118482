/** The configured registries, and which of them a host name means. No secret stands here, only names of secrets. */
import { isLoopbackHost } from '../base/addresses.ts';

/** How Plimsoll signs in to a registry; `…Secret` are names in the secret source. */
export type RegistryAuth =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly userSecret: string; readonly passwordSecret: string }
  /** ACR through Entra; without tenant and client the app's own identity in its own tenant. */
  | { readonly kind: 'entra'; readonly tenantId?: string; readonly clientId?: string };

/** One registry of PLIMSOLL_REGISTRIES. */
export interface RegistrySetting {
  /** Canonical host, lower case, with its port if it has one: `contoso.azurecr.io`, `127.0.0.1:5000`. */
  readonly host: string;
  /** Other hosts that notifications and references use for it. */
  readonly aliases: readonly string[];
  readonly environment: string;
  readonly auth: RegistryAuth;
  /** Secret with the token that this registry's webhooks send; absent where it sends none. */
  readonly webhookTokenSecret?: string;
}

/** All configured registries. */
export interface RegistrySettings {
  readonly registries: readonly RegistrySetting[];
  /** What every loopback registry is taken for on one machine; absent where only listed registries count. */
  readonly loopback?: Omit<RegistrySetting, 'host' | 'aliases'>;
}

/**
 * The registry that a host (`host[:port]`, any case) means: by host or alias, else a loopback host where those count.
 * Undefined where it is not configured: such a host is never called.
 */
export function findRegistry(settings: RegistrySettings, host: string): RegistrySetting | undefined {
  const wanted = host.toLowerCase();
  const listed = settings.registries.find(
    (registry) =>
      registry.host.toLowerCase() === wanted ||
      registry.aliases.some((alias) => alias.toLowerCase() === wanted),
  );
  if (listed !== undefined) return listed;
  if (settings.loopback === undefined || !isLoopbackHost(wanted)) return undefined;
  return { ...settings.loopback, host: wanted, aliases: [] };
}
