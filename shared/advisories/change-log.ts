/** Which package keys changed at which revision: sorted hashes with the last revision that changed each. */

export interface ChangeLog {
  /** Changes after this revision are all in here; earlier ones are not known. */
  readonly since: number;
  /** Sorted, without repeats. */
  readonly hashes: Uint32Array;
  /** Last revision that changed the hash at the same position. */
  readonly revisions: Uint32Array;
}

/** Most keys that are remembered: 1.6 MB unpacked. With more, the oldest changes are forgotten. */
export const maxLoggedKeys = 200_000;

/** A log that knows nothing of what was before `revision`. */
export function emptyChangeLog(revision: number): ChangeLog {
  return { since: revision, hashes: new Uint32Array(), revisions: new Uint32Array() };
}

/** The log with the keys that `revision` changed. Removed keys are keys like others: they changed. */
export function addChanges(log: ChangeLog, revision: number, changed: Iterable<number>): ChangeLog {
  const last = new Map<number, number>();
  log.hashes.forEach((hash, index) => {
    last.set(hash, log.revisions[index] ?? 0);
  });
  for (const hash of changed) last.set(hash, revision);
  let since = log.since;
  while (last.size > maxLoggedKeys) {
    // Forgets whole revisions, the oldest first: what is left is complete after `since`.
    since = Math.min(...new Set(last.values()));
    for (const [hash, at] of last) if (at <= since) last.delete(hash);
  }
  const hashes = Uint32Array.from(last.keys()).sort();
  return { since, hashes, revisions: hashes.map((hash) => last.get(hash) ?? 0) };
}

/** Whether one of the sorted hashes changed after the revision; true where that is not known. */
export function changedAfter(log: ChangeLog, revision: number, hashes: Uint32Array): boolean {
  if (revision < log.since) return true;
  return hashes.some((hash) => {
    const at = find(log.hashes, hash);
    return at >= 0 && (log.revisions[at] ?? 0) > revision;
  });
}

export function encodeChangeLog(log: ChangeLog): Uint8Array {
  const bytes = Buffer.alloc(log.hashes.length * 8);
  log.hashes.forEach((hash, index) => {
    bytes.writeUInt32BE(hash, index * 4);
    bytes.writeUInt32BE(log.revisions[index] ?? 0, (log.hashes.length + index) * 4);
  });
  return bytes;
}

export function decodeChangeLog(since: number, bytes: Buffer): ChangeLog {
  const count = bytes.length >> 3;
  return {
    since,
    hashes: Uint32Array.from({ length: count }, (_, index) => bytes.readUInt32BE(index * 4)),
    revisions: Uint32Array.from({ length: count }, (_, index) => bytes.readUInt32BE((count + index) * 4)),
  };
}

/** Largest change log, unpacked. */
export const maxChangeLogBytes = maxLoggedKeys * 8;

function find(sorted: Uint32Array, wanted: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const value = sorted[middle] ?? 0;
    if (value === wanted) return middle;
    if (value < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
