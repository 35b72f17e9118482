/** Read, change, write with If-Match, repeated while others write the same document; and reads past a session's view. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PlimsollError } from '../domain/errors.ts';
import type { DocumentBody, DocumentKey, Documents, Stored } from '../ports/documents.ts';

const maxConflicts = 8;
/** Grows with each conflict; long enough for another session's write to become visible. */
const conflictDelayMs = 15;

/**
 * Writes what `change` makes of the current document and returns what stands there then. `change` may run several
 * times; it returns undefined to leave everything as it is. Throws CONFLICT (retryable) where others always win.
 */
export async function updateDocument<T extends DocumentBody>(
  documents: Documents,
  key: DocumentKey,
  change: (current: T | undefined) => T | undefined | Promise<T | undefined>,
  options: { readonly ttlSeconds?: number } = {},
): Promise<Stored<T> | undefined> {
  for (let conflicts = 0; conflicts < maxConflicts; conflicts += 1) {
    if (conflicts > 0) await sleep(conflictDelayMs * conflicts);
    const stored = await documents.read<T>(key);
    const next = await change(stored?.value);
    if (next === undefined) return stored;
    const etag =
      stored === undefined
        ? await documents.create(key, next, options)
        : await documents.replace(key, next, stored.etag, options);
    if (etag !== undefined) return { value: next, etag };
  }
  throw new PlimsollError(
    'CONFLICT',
    `${key.container}/${key.id} changed ${maxConflicts} times while it was being written; it is tried again later`,
    { retryable: true },
  );
}

/** No document ever has this version. */
const noVersion = '"00000000-0000-0000-0000-000000000000"';

/**
 * The document as it stands now. A plain read may miss what another session wrote a moment ago; a write that is refused
 * shows this session what stands there, and this one is refused always. It costs a refused write: for what would
 * otherwise make a step end although there is something to do.
 */
export async function readNewest<T extends DocumentBody>(
  documents: Documents,
  key: DocumentKey,
): Promise<Stored<T> | undefined> {
  await documents.replace(key, { type: 'refused' }, noVersion);
  return documents.read<T>(key);
}
