/** Which registries may be called, and where they answer: only configured ones, only over TLS (loopback aside). */
import { isLoopbackHost } from '../base/addresses.ts';
import { PlimsollError } from '../domain/errors.ts';

/** How to sign in, as in PLIMSOLL_REGISTRIES: names of secrets, never the secrets themselves. */
export type RegistryAuth =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly userSecret: string; readonly passwordSecret: string }
  | { readonly kind: 'entra'; readonly tenantId?: string; readonly clientId?: string };

export interface RegistryEndpoint {
  /** Canonical host, with its port if it has one. */
  readonly host: string;
  /** Other hosts that mean the same registry. */
  readonly aliases: readonly string[];
  readonly auth: RegistryAuth;
  /** Hosts beside its own where this registry may send for a token, as `auth.docker.io`. */
  readonly tokenHosts?: readonly string[];
}

/** An endpoint with the address to call. */
export interface ResolvedEndpoint extends RegistryEndpoint {
  /** Origin of the API: `https://registry-1.docker.io`. */
  readonly origin: string;
  /** True where the registry is on this machine: only then plain HTTP is allowed. */
  readonly isLoopback: boolean;
}

/** Throws REGISTRY_NOT_CONFIGURED, INSECURE_TRANSPORT where a configured host asks for plain HTTP. */
export type ResolveEndpoint = (host: string) => ResolvedEndpoint;

/**
 * Looks endpoints up by host or alias, whatever the case. With `allowLoopback` each registry on a loopback address
 * counts as configured, without credentials unless it is listed.
 */
export function createEndpointLookup(
  registries: readonly RegistryEndpoint[],
  allowLoopback: boolean,
): ResolveEndpoint {
  const byHost = new Map<string, ResolvedEndpoint>();
  for (const registry of registries) {
    const resolved = resolve(registry);
    for (const name of [
      registry.host,
      ...registry.aliases,
      ...(dockerHub.has(registry.host) ? dockerHub : []),
    ])
      byHost.set(name.toLowerCase(), resolved);
  }
  return (host) => {
    const found = byHost.get(host.toLowerCase());
    if (found !== undefined && (allowLoopback || !found.isLoopback)) return found;
    if (allowLoopback && isLoopbackHost(host))
      return resolve({ host, aliases: [], auth: { kind: 'anonymous' } });
    throw new PlimsollError(
      'REGISTRY_NOT_CONFIGURED',
      `registry ${host.slice(0, 255)} is not configured: add it to PLIMSOLL_REGISTRIES or leave the image out`,
    );
  };
}

/** Repository as the API wants it: Docker Hub's official images stand under `library/`. */
export function apiRepository(endpoint: ResolvedEndpoint, repository: string): string {
  return endpoint.origin === dockerHubOrigin && !repository.includes('/')
    ? `library/${repository}`
    : repository;
}

const dockerHub: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);
const dockerHubOrigin = 'https://registry-1.docker.io';

function resolve(registry: RegistryEndpoint): ResolvedEndpoint {
  if (dockerHub.has(registry.host)) {
    return {
      ...registry,
      origin: dockerHubOrigin,
      isLoopback: false,
      tokenHosts: [...(registry.tokenHosts ?? []), 'auth.docker.io'],
    };
  }
  if (/^https?:/i.test(registry.host)) {
    throw new PlimsollError(
      'INSECURE_TRANSPORT',
      `registry ${registry.host}: expected a host without a scheme; registries are called over TLS, loopback ones over HTTP`,
    );
  }
  const isLoopback = isLoopbackHost(registry.host);
  return { ...registry, isLoopback, origin: `${isLoopback ? 'http' : 'https'}://${registry.host}` };
}
