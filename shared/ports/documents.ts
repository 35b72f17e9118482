/** Small JSON documents in partitions, with conditional writes (Cosmos DB for NoSQL). */

/** Containers and the property that is their partition key. docs and infra read this table. */
export const containers = {
  images: { partitionKey: 'shard' },
  places: { partitionKey: 'repository' },
  layers: { partitionKey: 'layerDigest' },
  deliveries: { partitionKey: 'subscriptionId' },
  config: { partitionKey: 'kind' },
  watermarks: { partitionKey: 'shard' },
} as const;

export type ContainerName = keyof typeof containers;

/** Largest document in bytes of UTF-8 JSON (Cosmos DB: 2 MB, with room for its own properties). */
export const maxDocumentBytes = 1_900_000;

/** Where a document stands. `id` holds none of / \ ? #, at most 1,023 bytes. */
export interface DocumentKey {
  readonly container: ContainerName;
  readonly partition: string;
  readonly id: string;
}

export interface Stored<T> {
  readonly value: T;
  /** Version of the document, for a conditional write. */
  readonly etag: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Hand it back for the next page; absent on the last one. Opaque, safe in a message. */
  readonly cursor?: string;
}

/** Which documents of one partition: all conditions hold. `type` is a property that every document carries. */
export interface DocumentQuery {
  readonly container: ContainerName;
  readonly partition: string;
  readonly type: string;
  readonly idPrefix?: string;
  /** Top-level properties that equal a value; null matches only a stored null. */
  readonly equals?: Readonly<Record<string, string | number | boolean | null>>;
  /** A top-level string property below a value, in code unit order; absent and null properties do not match. */
  readonly below?: { readonly property: string; readonly value: string };
  readonly limit: number;
  readonly cursor?: string;
}

/** What every document carries beside its own properties; id and partition key are added by the store. */
export interface DocumentBody {
  readonly type: string;
}

/**
 * Every method throws STORE_UNAVAILABLE (retryable) where the store does not answer, TOO_LARGE past
 * maxDocumentBytes. Reads see the session's own writes at once and those of others late; a create or replace that is refused
 * shows this session what stands there. Expired documents are absent.
 */
export interface Documents {
  read<T extends DocumentBody>(key: DocumentKey): Promise<Stored<T> | undefined>;
  /** The etag, or undefined where a document with this id exists (nothing is written then). */
  create(
    key: DocumentKey,
    value: DocumentBody,
    options?: { readonly ttlSeconds?: number },
  ): Promise<string | undefined>;
  /** The new etag, or undefined where the document is gone or has another etag. Keeps no TTL but the one given. */
  replace(
    key: DocumentKey,
    value: DocumentBody,
    etag: string,
    options?: { readonly ttlSeconds?: number },
  ): Promise<string | undefined>;
  /** True if it was removed, false where it is gone or has another etag. */
  remove(key: DocumentKey, etag?: string): Promise<boolean>;
  /** Documents of one partition in order of id. A page may be short and still have a cursor. */
  list<T extends DocumentBody>(query: DocumentQuery): Promise<Page<Stored<T> & { readonly id: string }>>;
}
