/** A store of index parts in memory, which counts what is read and written. */
import type { IndexStore } from '../../shared/advisories/index-store.ts';

export interface CountingStore extends IndexStore {
  readonly parts: Map<string, Uint8Array>;
  /** Names of parts that were read, in order. */
  readonly reads: string[];
  /** Names of parts that were written and not there before. */
  readonly writes: string[];
}

export function memoryStore(): CountingStore {
  const parts = new Map<string, Uint8Array>();
  const reads: string[] = [];
  const writes: string[] = [];
  return {
    parts,
    reads,
    writes,
    read: async (name) => {
      reads.push(name);
      return parts.get(name);
    },
    createOnce: async (name, bytes) => {
      if (parts.has(name)) return false;
      writes.push(name);
      parts.set(name, bytes);
      return true;
    },
  };
}
