/** The documents that the contract suites write, and the store that they are run against. */
import { randomUUID } from 'node:crypto';
import type { ContainerName, DocumentKey, DocumentQuery, Documents } from '../../shared/ports/documents.ts';

export interface DocumentsUnderTest {
  /** A new session over the same data. */
  session(): Documents;
  /** Moves the clock that decides about expiry. */
  advance(durationMs: number): void;
  /** Returns once a write of one session is seen by the others. */
  settle(): Promise<void>;
}

export interface Note {
  readonly type: 'note' | 'other';
  readonly [property: string]: unknown;
}

/** A key in a partition of its own. */
export function newKey(container: ContainerName = 'images'): DocumentKey {
  return { container, partition: `p-${randomUUID()}`, id: 'one' };
}

export function note(properties: object = {}): Note {
  return { type: 'note', ...properties };
}

/** Every note of the key's partition. */
export function allNotes(key: DocumentKey): DocumentQuery {
  return { container: key.container, partition: key.partition, type: 'note', limit: 50 };
}
