/** Documents on Azure Cosmos DB for NoSQL: point reads, conditional writes, queries inside one partition, no more. */

import { type Container, CosmosClient } from '@azure/cosmos';
import type { TokenCredential } from '@azure/identity';
import { z } from 'zod';
import type { Clock } from '../ports/clock.ts';
import {
  type ContainerName,
  containers,
  type DocumentBody,
  type DocumentKey,
  type DocumentQuery,
  type Documents,
  type Page,
  type Stored,
} from '../ports/documents.ts';
import {
  checkDocumentKey,
  checkPageLimit,
  checkPartition,
  encodeCursor,
  encodeDocument,
} from '../ports/limits.ts';
import { documentQuerySpec } from './cosmos-query.ts';
import { statusOf, unavailable } from './sdk-errors.ts';

export interface CosmosOptions {
  readonly endpoint: string;
  readonly database: string;
  readonly credential: TokenCredential;
  readonly clock: Clock;
  /** Longest wait for an answer of one try; a request that was not answered is not tried again. */
  readonly timeoutMs?: number;
}

/**
 * One session: the client remembers the session tokens of its own reads and writes. An item is
 * `{id, <partition key>, body, expiresAtMs?, ttl?}`: the document stands apart in `body`, so that none of its properties
 * can meet one of the store's. Cosmos DB removes what expired by `ttl`; `expiresAtMs` makes it absent at the moment
 * itself, also where the store has no TTL.
 */
export function createCosmosDocuments(options: CosmosOptions): Documents {
  const database = createClient(options).database(options.database);
  const nowMs = () => options.clock.now().getTime();
  const containerOf = (name: ContainerName): Container => database.container(name);
  const itemOf = (key: DocumentKey) => containerOf(key.container).item(key.id, key.partition);

  function toItem(key: DocumentKey, text: string, ttlSeconds: number | undefined): Item {
    const expiry =
      ttlSeconds === undefined ? {} : { ttl: ttlSeconds, expiresAtMs: nowMs() + ttlSeconds * 1000 };
    const partitionKey = containers[key.container].partitionKey;
    return { id: key.id, [partitionKey]: key.partition, body: JSON.parse(text), ...expiry };
  }

  async function readItem(key: DocumentKey): Promise<StoredItem | undefined> {
    const answer = await itemOf(key).read<object>();
    return answer.resource === undefined ? undefined : storedItemSchema.parse(answer.resource);
  }

  function isExpired(expiresAtMs: number | undefined): boolean {
    return expiresAtMs !== undefined && expiresAtMs <= nowMs();
  }

  async function replaceItem(key: DocumentKey, item: Item, condition: string): Promise<string | undefined> {
    try {
      const accessCondition = { type: 'IfMatch', condition };
      const answer = await itemOf(key).replace<object>(item, {
        accessCondition,
      });
      return toEtag(answer.etag, item.expiresAtMs);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  return {
    async read<T extends DocumentBody>(key: DocumentKey) {
      checkDocumentKey(key);
      return attempt(`reading document ${nameOf(key)}`, async () => {
        const item = await readItem(key);
        return item === undefined || isExpired(item.expiresAtMs) ? undefined : toStored<T>(item);
      });
    },
    async create(key, value, { ttlSeconds } = {}) {
      checkDocumentKey(key);
      const item = toItem(key, encodeDocument(key, value), ttlSeconds);
      return attempt(`creating document ${nameOf(key)}`, async () => {
        try {
          const answer = await containerOf(key.container).items.create(item);
          return toEtag(answer.etag, item.expiresAtMs);
        } catch (error) {
          if (statusOf(error) !== 409) throw error;
        }
        // What stands there may have expired and wait for its removal.
        const found = await readItem(key);
        if (found === undefined || !isExpired(found.expiresAtMs)) return undefined;
        return replaceItem(key, item, found._etag);
      });
    },
    async replace(key, value, etag, { ttlSeconds } = {}) {
      checkDocumentKey(key);
      const item = toItem(key, encodeDocument(key, value), ttlSeconds);
      const { condition, expiresAtMs } = fromEtag(etag);
      if (isExpired(expiresAtMs)) return undefined;
      return attempt(`replacing document ${nameOf(key)}`, () => replaceItem(key, item, condition));
    },
    async remove(key, etag) {
      checkDocumentKey(key);
      const known = etag === undefined ? undefined : fromEtag(etag);
      if (isExpired(known?.expiresAtMs)) return false;
      return attempt(`removing document ${nameOf(key)}`, async () => {
        const accessCondition = known && { type: 'IfMatch', condition: known.condition };
        try {
          await itemOf(key).delete(accessCondition === undefined ? {} : { accessCondition });
          return true;
        } catch (error) {
          if (isGone(error)) return false;
          throw error;
        }
      });
    },
    async list<T extends DocumentBody>(
      query: DocumentQuery,
    ): Promise<Page<Stored<T> & { readonly id: string }>> {
      checkPartition(query.container, query.partition);
      checkPageLimit(query.limit);
      const spec = documentQuerySpec(query);
      return attempt(`listing documents of ${query.container}/${query.partition}`, async () => {
        const options = { partitionKey: query.partition, maxItemCount: query.limit };
        const pages = containerOf(query.container).items.query<unknown>(spec, options);
        // The service may answer with an empty page and more behind it.
        let found: StoredItem[] = [];
        while (found.length === 0 && pages.hasMoreResults()) {
          const { resources } = await pages.fetchNext();
          found = z.array(storedItemSchema).parse(resources ?? []);
        }
        const page = found.slice(0, query.limit);
        const items = page.flatMap((item) =>
          isExpired(item.expiresAtMs) ? [] : [{ id: item.id, ...toStored<T>(item) }],
        );
        const last = page.at(-1);
        const hasMore = found.length > page.length || pages.hasMoreResults();
        return hasMore && last !== undefined ? { items, cursor: encodeCursor(last.id) } : { items };
      });
    },
  };
}

/** Makes the database and its containers where they are missing. On Azure the deployment does. */
export async function ensureDocumentContainers(options: CosmosOptions): Promise<void> {
  const client = createClient(options);
  await attempt('creating the document containers', async () => {
    await client.databases.createIfNotExists({ id: options.database });
    for (const [id, { partitionKey }] of Object.entries(containers)) {
      const definition = { id, partitionKey: { paths: [`/${partitionKey}`] }, defaultTtl: -1 };
      await client.database(options.database).containers.createIfNotExists(definition);
    }
  });
}

/** What is written: the document apart from what the store adds. */
interface Item {
  readonly id: string;
  readonly body: unknown;
  readonly ttl?: number;
  readonly expiresAtMs?: number;
}

const storedItemSchema = z.object({
  id: z.string(),
  _etag: z.string(),
  body: z.looseObject({ type: z.string() }),
  expiresAtMs: z.number().optional(),
});

type StoredItem = z.infer<typeof storedItemSchema>;

function createClient({ endpoint, credential, timeoutMs = 5_000 }: CosmosOptions): CosmosClient {
  return new CosmosClient({
    endpoint,
    aadCredentials: credential,
    connectionPolicy: {
      // One region; the emulator's answer to the discovery names an address that does not exist.
      enableEndpointDiscovery: false,
      enableBackgroundEndpointRefreshing: false,
      requestTimeout: timeoutMs,
      retryOptions: { maxRetryAttemptCount: 3, fixedRetryIntervalInMilliseconds: 0, maxWaitTimeInSeconds: 5 },
    },
  });
}

async function attempt<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw unavailable('STORE_UNAVAILABLE', what, error);
  }
}

/** 404: it is gone. 412: it has another etag. */
function isGone(error: unknown): boolean {
  return statusOf(error) === 404 || statusOf(error) === 412;
}

function toStored<T>(item: StoredItem): Stored<T> {
  return { value: item.body as T, etag: toEtag(item._etag, item.expiresAtMs) };
}

/** The expiry travels with the etag, so that a conditional write knows without a read that its document is over. */
function toEtag(etag: string, expiresAtMs: number | undefined): string {
  return expiresAtMs === undefined ? etag : `${expiresAtMs}~${etag}`;
}

function fromEtag(etag: string): { readonly condition: string; readonly expiresAtMs?: number } {
  const parts = /^(\d+)~(.*)$/s.exec(etag);
  return parts === null ? { condition: etag } : { condition: parts[2] ?? '', expiresAtMs: Number(parts[1]) };
}

function nameOf(key: DocumentKey): string {
  return `${key.container}/${key.partition}/${key.id}`;
}
