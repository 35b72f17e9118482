/** Larger data, written once and named by content or version (Blob Storage: strongly consistent). */

/** Blob containers. infra and the adapters read this list. */
export const blobContainers = ['inventories', 'images', 'reports', 'changes', 'advisories'] as const;

export type BlobContainerName = (typeof blobContainers)[number];

/** Throws STORE_UNAVAILABLE (retryable) where the store does not answer. Names are `a-z0-9.-_/` only. */
export interface Blobs {
  /** False where the blob exists (nothing is written then). */
  createOnce(container: BlobContainerName, name: string, bytes: Uint8Array): Promise<boolean>;
  /** The whole blob or undefined. Throws TOO_LARGE past maxBytes. */
  read(container: BlobContainerName, name: string, maxBytes: number): Promise<Uint8Array | undefined>;
  exists(container: BlobContainerName, name: string): Promise<boolean>;
  /** Names that start with the prefix, sorted; `cursor` as in documents. */
  list(
    container: BlobContainerName,
    prefix: string,
    options: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: readonly string[]; readonly cursor?: string }>;
  remove(container: BlobContainerName, name: string): Promise<boolean>;
}
