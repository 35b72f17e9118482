/** In-memory blobs, strongly consistent as Blob Storage is. */
import { PlimsollError } from '../../shared/domain/errors.ts';
import type { BlobContainerName, Blobs } from '../../shared/ports/blobs.ts';
import { checkBlobName, checkPageLimit, decodeCursor, encodeCursor } from '../../shared/ports/limits.ts';

export interface BlobCounts {
  /** Reads and existence checks. */
  readonly reads: number;
  /** Creates and removes, also those that changed nothing. */
  readonly writes: number;
  readonly lists: number;
}

export interface MemoryBlobs extends Blobs {
  /** Names of a container, sorted. */
  names(container: BlobContainerName): readonly string[];
  counts(): BlobCounts;
  resetCounts(): void;
}

/** An empty store. Bytes are copied in and out. */
export function createMemoryBlobs(): MemoryBlobs {
  const stores = new Map<BlobContainerName, Map<string, Uint8Array>>();
  let counters = { reads: 0, writes: 0, lists: 0 };

  function storeOf(container: BlobContainerName): Map<string, Uint8Array> {
    const store = stores.get(container) ?? new Map<string, Uint8Array>();
    stores.set(container, store);
    return store;
  }

  function names(container: BlobContainerName): string[] {
    // Names are ASCII, so the default order is the service's.
    return [...storeOf(container).keys()].sort();
  }

  return {
    async createOnce(container, name, bytes) {
      checkBlobName(container, name);
      counters.writes += 1;
      if (storeOf(container).has(name)) return false;
      storeOf(container).set(name, Uint8Array.from(bytes));
      return true;
    },
    async read(container, name, maxBytes) {
      checkBlobName(container, name);
      counters.reads += 1;
      const bytes = storeOf(container).get(name);
      if (bytes !== undefined && bytes.byteLength > maxBytes) {
        throw new PlimsollError(
          'TOO_LARGE',
          `expected at most ${maxBytes} bytes in blob ${container}/${name}, found ${bytes.byteLength}`,
        );
      }
      return bytes && Uint8Array.from(bytes);
    },
    async exists(container, name) {
      checkBlobName(container, name);
      counters.reads += 1;
      return storeOf(container).has(name);
    },
    async list(container, prefix, { limit, cursor }) {
      checkPageLimit(limit);
      counters.lists += 1;
      const after = cursor === undefined ? '' : decodeCursor(cursor);
      const found = names(container).filter((name) => name.startsWith(prefix) && name > after);
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return found.length > limit && last !== undefined ? { items, cursor: encodeCursor(last) } : { items };
    },
    async remove(container, name) {
      checkBlobName(container, name);
      counters.writes += 1;
      return storeOf(container).delete(name);
    },
    names,
    counts: () => ({ ...counters }),
    resetCounts() {
      counters = { reads: 0, writes: 0, lists: 0 };
    },
  };
}
