/** Registries to pull from: only configured ones, only over TLS (loopback aside). */
import type { Digest } from '../domain/digest.ts';

/** Which repository of which registry. */
export interface RepositoryRef {
  readonly registry: string;
  readonly repository: string;
}

export interface RawManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Exactly the bytes that hash to `digest`; at most maxManifestBytes. */
  readonly bytes: Uint8Array;
}

export interface BlobStream {
  /** Compressed size that the registry announced, where it did. */
  readonly sizeBytes: number | undefined;
  /** The bytes as they come, resumed inside after a broken transfer. Not verified: the reader hashes. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Every method throws REGISTRY_NOT_CONFIGURED, REGISTRY_UNREACHABLE (retryable), REGISTRY_THROTTLED (retryable, with
 * retryAfterMs), UNAUTHORIZED, FORBIDDEN, INSECURE_TRANSPORT, REGISTRY_REFUSED (any other answer).
 */
export interface Registries {
  /** Digest that a tag points to now, or undefined where there is no such tag. */
  resolveTag(where: RepositoryRef, tag: string): Promise<Digest | undefined>;
  /** The manifest, verified against its digest; undefined where the registry has none.
   *  Throws DIGEST_MISMATCH, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE. */
  manifest(where: RepositoryRef, digest: Digest): Promise<RawManifest | undefined>;
  /** Whether the repository itself has the manifest. */
  hasManifest(where: RepositoryRef, digest: Digest): Promise<boolean>;
  /** Whether the repository itself has the blob (2xx, or a redirect that the registry gives, which is not followed). */
  hasBlob(where: RepositoryRef, digest: Digest): Promise<boolean>;
  /** A small blob, verified. Undefined where there is none. Throws DIGEST_MISMATCH, TOO_LARGE past maxBytes. */
  blob(where: RepositoryRef, digest: Digest, maxBytes: number): Promise<Uint8Array | undefined>;
  /** A layer as a stream; undefined where there is none. */
  openBlob(where: RepositoryRef, digest: Digest, signal?: AbortSignal): Promise<BlobStream | undefined>;
}
