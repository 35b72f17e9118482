/** Opens a published revision for reading: a lookup reads only the shards that its keys need. */
import {
  type AdvisoryIndex,
  type AdvisoryRow,
  decodeKeyHashes,
  hashPackageKey,
  type PackageKey,
} from '../domain/advisory.ts';
import type { ChangeLog } from './change-log.ts';
import { changedAfter } from './change-log.ts';
import { decodeShard, maxShardBytes, type Shard, shardOfHash } from './index-format.ts';
import type { IndexStore, PublishedRevision } from './index-store.ts';
import { type EcosystemShards, readChangeLog, readManifest, readPart, shardPart } from './manifest.ts';

/** Unpacked shards that several revisions and lookups share, the least used forgotten first. */
export interface ShardCache {
  get(name: string): Shard | undefined;
  set(name: string, shard: Shard, weight: number): void;
}

/** A cache that holds shards of so many unpacked bytes together. */
export function shardCache(maxWeight = 64 * 1024 * 1024): ShardCache {
  const entries = new Map<string, { readonly shard: Shard; readonly weight: number }>();
  let total = 0;
  return {
    get: (name) => {
      const found = entries.get(name);
      if (found === undefined) return undefined;
      // A Map keeps the order of insertion: what is used moves to its end.
      entries.delete(name);
      entries.set(name, found);
      return found.shard;
    },
    set: (name, shard, weight) => {
      if (entries.has(name) || weight > maxWeight) return;
      entries.set(name, { shard, weight });
      total += weight;
      for (const [oldest, entry] of entries) {
        if (total <= maxWeight) break;
        entries.delete(oldest);
        total -= entry.weight;
      }
    },
  };
}

/** Shards that one lookup reads at once. */
const maxReadsAtOnce = 16;

/** Opens the revision. Throws ADVISORIES_MISSING where a part is gone, ADVISORIES_INVALID where one is not what its name
 *  says, and what the store throws. */
export async function openIndex(
  store: IndexStore,
  published: PublishedRevision,
  cache: ShardCache = shardCache(),
): Promise<AdvisoryIndex> {
  const manifest = await readManifest(store, published.manifest);
  const ecosystems = new Map(manifest.ecosystems.map((one) => [one.name, one]));
  let log: Promise<ChangeLog> | undefined;
  return {
    revision: {
      revision: published.revision,
      contentHash: published.contentHash,
      newestAt: published.newestAt,
    },
    covers: (ecosystem) => ecosystems.has(ecosystem),
    lookup: async (keys) => {
      const found = new Map<PackageKey, readonly AdvisoryRow[]>();
      const wanted = [...wantedShards(ecosystems, keys)];
      await inParallel(wanted, async ([name, names]) => {
        const shard = await readShard(store, name, cache);
        for (const [key, packageName] of names) {
          const rows = shard.rows(packageName);
          if (rows !== undefined) found.set(key, rows);
        }
      });
      return found;
    },
    changedSince: async (since, keyHashes) => {
      if (since >= published.revision) return false;
      log ??= readChangeLog(store, manifest);
      try {
        return changedAfter(await log, since, decodeKeyHashes(keyHashes));
      } catch (error) {
        // A store that did not answer is asked again the next time.
        log = undefined;
        throw error;
      }
    },
  };
}

function wantedShards(
  ecosystems: ReadonlyMap<string, EcosystemShards>,
  keys: readonly PackageKey[],
): Map<string, Map<PackageKey, string>> {
  const wanted = new Map<string, Map<PackageKey, string>>();
  for (const key of keys) {
    const bar = key.indexOf('|');
    const ecosystem = ecosystems.get(key.slice(0, bar));
    const name = ecosystem?.shards[shardOfHash(hashPackageKey(key), ecosystem.bits)];
    if (name === undefined || name === '-') continue;
    const names = wanted.get(name) ?? new Map<PackageKey, string>();
    names.set(key, key.slice(bar + 1));
    wanted.set(name, names);
  }
  return wanted;
}

async function readShard(store: IndexStore, name: string, cache: ShardCache): Promise<Shard> {
  const cached = cache.get(name);
  if (cached !== undefined) return cached;
  const part = shardPart(name);
  const text = (await readPart(store, part, maxShardBytes)).toString('utf8');
  const shard = decodeShard(text, part);
  // Parsed JSON takes about three times its text.
  cache.set(name, shard, text.length * 3);
  return shard;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: Math.min(maxReadsAtOnce, items.length) }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
