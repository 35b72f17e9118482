/** An image in a registry, for the command line. */
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { formatReference, parseReference } from '../domain/reference.ts';
import type { RegistryClient } from './registry-client.ts';
import type { ImageSource } from './source.ts';
import { sourceOfContent } from './source-content.ts';

/** A client that may call the host, which the user has named. */
export type ClientFor = (host: string) => RegistryClient;

/** `registry/repository[:tag][@digest]`; the digest counts where both are given.
 *  Throws INVALID_REFERENCE, NOT_FOUND and what a registry client throws. */
export async function openRegistryImage(target: string, clientFor: ClientFor): Promise<ImageSource> {
  const reference = parseReference(target);
  const client = clientFor(reference.registry);
  try {
    const digest = reference.digest ?? (await client.resolveTag(reference, reference.tag ?? 'latest'));
    const root = digest === undefined ? undefined : await client.manifest(reference, digest);
    if (root === undefined) {
      throw new PlimsollError(
        'NOT_FOUND',
        `${target}: the registry has no such image; check repository, tag and digest`,
      );
    }
    return sourceOfContent(formatReference(reference), root, {
      manifest: (child: Digest) => client.manifest(reference, child),
      blob: (child, maxBytes) => client.blob(reference, child, maxBytes),
      openBlob: async (layer) => (await client.openBlob(reference, layer))?.bytes,
      close: async () => client.close(),
    });
  } catch (error) {
    client.close();
    throw error;
  }
}
