/** Opens what the command line was told to scan. */
import { PlimsollError } from '../domain/errors.ts';
import { dockerCredentials } from './docker-config.ts';
import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from './registry-client.ts';
import type { ImageSource } from './source.ts';
import { openDirectory } from './source-directory.ts';
import { openDockerArchive } from './source-docker-archive.ts';
import { openLayoutArchive, openLayoutTarget } from './source-layout.ts';
import { openRegistryImage } from './source-registry.ts';

export interface SourceOptions {
  /** Folder of Docker's config.json: $DOCKER_CONFIG, else ~/.docker. */
  readonly dockerConfigFolder: string;
  /** What is other than usual about the registry client. */
  readonly registry?: Partial<Omit<RegistryClientOptions, 'registries' | 'allowLoopback'>>;
}

/**
 * Opens `oci:DIR[:TAG]`, `oci-archive:FILE`, `docker-archive:FILE`, `dir:DIR` or `registry/repository[:tag][@digest]`.
 * Throws INVALID_REFERENCE where the target is none of these, and what the kind's own file says. Close the source.
 */
export async function openTarget(target: string, options: SourceOptions): Promise<ImageSource> {
  const colon = target.indexOf(':');
  const kind = colon < 0 ? '' : target.slice(0, colon);
  const rest = target.slice(colon + 1);
  if (kinds.has(kind) && rest === '') {
    throw new PlimsollError('INVALID_REFERENCE', `${target}: expected a path after the colon`);
  }
  switch (kind) {
    case 'oci':
      return openLayoutTarget(target, rest);
    case 'oci-archive':
      return openLayoutArchive(target, rest);
    case 'docker-archive':
      return openDockerArchive(target, rest);
    case 'dir':
      return openDirectory(target, rest);
    case 'sbom':
      throw new PlimsollError(
        'INVALID_REFERENCE',
        `${target}: this version does not read SBOMs; scan the image instead`,
      );
    default:
      return openRegistryImage(target, (host) => clientForHost(host, options));
  }
}

const kinds: ReadonlySet<string> = new Set(['oci', 'oci-archive', 'docker-archive', 'dir']);

/** Whoever runs the command has named the registry, so it is the one that is configured. */
function clientForHost(host: string, options: SourceOptions): RegistryClient {
  return createRegistryClient({
    credentials: dockerCredentials({ folder: options.dockerConfigFolder }),
    ...options.registry,
    registries: [{ host, aliases: [], auth: { kind: 'anonymous' } }],
    allowLoopback: true,
  });
}
