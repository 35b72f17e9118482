/** An in-memory document store whose sessions see each other's writes late, as session consistency allows. */
import type { Clock } from '../../shared/ports/clock.ts';
import type {
  ContainerName,
  DocumentBody,
  DocumentKey,
  DocumentQuery,
  Documents,
  Page,
  Stored,
} from '../../shared/ports/documents.ts';
import { containers } from '../../shared/ports/documents.ts';
import {
  checkDocumentKey,
  checkPageLimit,
  checkPartition,
  checkQueryProperties,
  decodeCursor,
  encodeCursor,
  encodeDocument,
} from '../../shared/ports/limits.ts';

export interface OperationCounts {
  readonly reads: number;
  /** Creates, replaces and removes, also those whose condition failed. */
  readonly writes: number;
  readonly queries: number;
}

export interface DumpedDocument extends DocumentKey {
  readonly value: DocumentBody & Readonly<Record<string, unknown>>;
  readonly etag: string;
  /** Milliseconds since the epoch; absent where the document does not expire. */
  readonly expiresAtMs?: number;
}

export interface MemoryDocuments {
  /** A new session: sees its own writes at once and those of other sessions after staleMs. */
  session(): Documents;
  /** The true state, sorted by container, partition and id, without what has expired. */
  dump(container?: ContainerName): readonly DumpedDocument[];
  /** Operations of all sessions since the start or the last reset. */
  counts(container?: ContainerName): OperationCounts;
  resetCounts(): void;
}

/** A store of its own. Conditional writes act on the true state; a failed one shows its session the true state of
 *  that document, as the session token in Cosmos DB's 409 and 412 answers does. */
export function createMemoryDocuments(options: {
  readonly clock: Clock;
  /** How long a write stays unseen by other sessions, by the clock given. */
  readonly staleMs?: number;
}): MemoryDocuments {
  const staleMs = options.staleMs ?? 50;
  const nowMs = () => options.clock.now().getTime();
  const partitions = new Map<string, Map<string, Version[]>>();
  let counters = emptyCounters();
  let sessionsMade = 0;
  let etagsMade = 0;

  function versionsOf(key: DocumentKey): Version[] {
    const partition = partitions.get(partitionName(key)) ?? new Map<string, Version[]>();
    partitions.set(partitionName(key), partition);
    const versions = partition.get(key.id) ?? [];
    partition.set(key.id, versions);
    return versions;
  }

  function isAlive(version: Version | undefined): version is LiveVersion {
    return (
      version?.text !== undefined && (version.expiresAtMs === undefined || nowMs() < version.expiresAtMs)
    );
  }

  function seenBy(session: number, versions: readonly Version[]): LiveVersion | undefined {
    const seen = versions.findLast((one) => one.seenBy.has(session) || one.writtenAtMs + staleMs <= nowMs());
    return isAlive(seen) ? seen : undefined;
  }

  function write(
    session: number,
    versions: Version[],
    text: string | undefined,
    ttlSeconds?: number,
  ): string {
    etagsMade += 1;
    const etag = `"${etagsMade.toString(16).padStart(8, '0')}"`;
    const writtenAtMs = nowMs();
    versions.push({
      text,
      etag,
      writtenAtMs,
      seenBy: new Set([session]),
      expiresAtMs: ttlSeconds === undefined ? undefined : writtenAtMs + ttlSeconds * 1000,
    });
    // What every session sees past by now is never read again.
    const settled = versions.findLastIndex((one) => one.writtenAtMs + staleMs <= writtenAtMs);
    if (settled > 0) versions.splice(0, settled);
    return etag;
  }

  /** Whether the true state allows the write; a refusal lets the session see the truth. */
  function isAllowed(
    session: number,
    versions: readonly Version[],
    allows: (live?: Version) => boolean,
  ): boolean {
    const newest = versions.at(-1);
    if (allows(isAlive(newest) ? newest : undefined)) return true;
    newest?.seenBy.add(session);
    return false;
  }

  function session(): Documents {
    sessionsMade += 1;
    const me = sessionsMade;
    return {
      async read<T extends DocumentBody>(key: DocumentKey) {
        checkDocumentKey(key);
        counters[key.container].reads += 1;
        const seen = seenBy(me, partitions.get(partitionName(key))?.get(key.id) ?? []);
        return seen && stored<T>(seen);
      },
      async create(key, value, { ttlSeconds } = {}) {
        checkDocumentKey(key);
        const text = encodeDocument(key, value);
        counters[key.container].writes += 1;
        const versions = versionsOf(key);
        if (!isAllowed(me, versions, (live) => live === undefined)) return undefined;
        return write(me, versions, text, ttlSeconds);
      },
      async replace(key, value, etag, { ttlSeconds } = {}) {
        checkDocumentKey(key);
        const text = encodeDocument(key, value);
        counters[key.container].writes += 1;
        const versions = versionsOf(key);
        if (!isAllowed(me, versions, (live) => live?.etag === etag)) return undefined;
        return write(me, versions, text, ttlSeconds);
      },
      async remove(key, etag) {
        checkDocumentKey(key);
        counters[key.container].writes += 1;
        const versions = versionsOf(key);
        const allows = (live?: Version) => live !== undefined && (etag === undefined || live.etag === etag);
        if (!isAllowed(me, versions, allows)) return false;
        write(me, versions, undefined);
        return true;
      },
      async list<T extends DocumentBody>(
        query: DocumentQuery,
      ): Promise<Page<Stored<T> & { readonly id: string }>> {
        checkPartition(query.container, query.partition);
        checkPageLimit(query.limit);
        checkQueryProperties(query);
        counters[query.container].queries += 1;
        const after = query.cursor === undefined ? '' : decodeCursor(query.cursor);
        const ids = [...(partitions.get(partitionName(query))?.keys() ?? [])].sort(byCodeUnit);
        const items: (Stored<T> & { readonly id: string })[] = [];
        for (const id of ids) {
          if (id <= after || !id.startsWith(query.idPrefix ?? '')) continue;
          const seen = seenBy(me, versionsOf({ container: query.container, partition: query.partition, id }));
          if (seen === undefined || !matches(query, JSON.parse(seen.text))) continue;
          if (items.length === query.limit) return { items, cursor: encodeCursor(items.at(-1)?.id ?? '') };
          items.push({ id, ...stored<T>(seen) });
        }
        return { items };
      },
    };
  }

  return {
    session,
    dump(container) {
      return [...partitions]
        .flatMap(([name, documents]) => {
          const [inContainer, partition] = splitPartitionName(name);
          if (container !== undefined && container !== inContainer) return [];
          return [...documents].flatMap(([id, versions]) => {
            const newest = versions.at(-1);
            if (!isAlive(newest)) return [];
            const expiry = newest.expiresAtMs === undefined ? {} : { expiresAtMs: newest.expiresAtMs };
            const value = JSON.parse(newest.text) as DumpedDocument['value'];
            return [{ container: inContainer, partition, id, value, etag: newest.etag, ...expiry }];
          });
        })
        .sort(
          (a, b) =>
            byCodeUnit(a.container, b.container) ||
            byCodeUnit(a.partition, b.partition) ||
            byCodeUnit(a.id, b.id),
        );
    },
    counts(container) {
      const chosen = container === undefined ? Object.values(counters) : [counters[container]];
      const sum = { reads: 0, writes: 0, queries: 0 };
      for (const one of chosen) {
        sum.reads += one.reads;
        sum.writes += one.writes;
        sum.queries += one.queries;
      }
      return sum;
    },
    resetCounts() {
      counters = emptyCounters();
    },
  };
}

interface Version {
  /** JSON text; undefined marks a removal. */
  readonly text: string | undefined;
  readonly etag: string;
  readonly writtenAtMs: number;
  readonly expiresAtMs: number | undefined;
  /** Sessions that see it before staleMs has passed. */
  readonly seenBy: Set<number>;
}

type LiveVersion = Version & { readonly text: string };

type Counters = Record<ContainerName, { reads: number; writes: number; queries: number }>;

function emptyCounters(): Counters {
  const empty = Object.keys(containers).map((name) => [name, { reads: 0, writes: 0, queries: 0 }]);
  return Object.fromEntries(empty) as Counters;
}

function stored<T>(version: LiveVersion): Stored<T> {
  return { value: JSON.parse(version.text) as T, etag: version.etag };
}

function matches(query: DocumentQuery, value: Record<string, unknown>): boolean {
  if (value['type'] !== query.type) return false;
  for (const [property, wanted] of Object.entries(query.equals ?? {})) {
    if (!Object.hasOwn(value, property) || value[property] !== wanted) return false;
  }
  if (query.below === undefined) return true;
  const found = Object.hasOwn(value, query.below.property) ? value[query.below.property] : undefined;
  return typeof found === 'string' && found < query.below.value;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function partitionName(where: { readonly container: ContainerName; readonly partition: string }): string {
  return `${where.container}|${where.partition}`;
}

function splitPartitionName(name: string): [ContainerName, string] {
  const bar = name.indexOf('|');
  return [name.slice(0, bar) as ContainerName, name.slice(bar + 1)];
}
