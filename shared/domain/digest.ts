/** Content digests as OCI writes them (image-spec, descriptor.md#digests); only sha256 can be verified here. */
import { createHash } from 'node:crypto';
import { PlimsollError } from './errors.ts';

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = string & { readonly __brand: 'Digest' };

const sha256Pattern = /^sha256:[0-9a-f]{64}$/;

/** The text as a Digest, or undefined where it is not a sha256 digest. */
export function parseDigest(text: string): Digest | undefined {
  return sha256Pattern.test(text) ? (text as Digest) : undefined;
}

/** The text as a Digest. Throws INVALID_DIGEST naming `where` it stood. */
export function requireDigest(text: string, where: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined) {
    throw new PlimsollError(
      'INVALID_DIGEST',
      `${where}: expected sha256: and 64 hex digits, found "${text.slice(0, 100)}"`,
    );
  }
  return digest;
}

/** The sha256 digest of the bytes (a string counts as UTF-8). */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** The 64 hex digits. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** The first two hex digits: the partition of everything that belongs to the digest. */
export function shardOf(digest: Digest): string {
  return digest.slice(7, 9);
}

/** All 256 shards, `00` to `ff`. */
export const shards: readonly string[] = Array.from({ length: 256 }, (_, index) =>
  index.toString(16).padStart(2, '0'),
);
