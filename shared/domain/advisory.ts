/** Advisories as the index holds them: what matching needs of an OSV record, one row per affected package. */
import { createHash } from 'node:crypto';
import type { SeverityRating } from './severity.ts';

/** `ecosystem|name`, as in `Debian:12|openssl` or `npm|lodash`: what the index is keyed by. */
export type PackageKey = string;

export function packageKey(ecosystem: string, name: string): PackageKey {
  return `${ecosystem}|${name}`;
}

/** Changes when an ecosystem begins or ceases to be covered: images of a distribution without advisories depend on it
 *  although none of their packages has a row. */
export function coverageKey(ecosystem: string): PackageKey {
  return packageKey(ecosystem, '');
}

/** An OSV event: exactly one of the four. */
export type RangeEvent =
  | { readonly introduced: string }
  | { readonly fixed: string }
  | { readonly lastAffected: string }
  | { readonly limit: string };

export interface AdvisoryRange {
  readonly type: 'SEMVER' | 'ECOSYSTEM';
  readonly events: readonly RangeEvent[];
}

/** Whether a fix exists; `unknown` where the publisher does not say. */
export type FixState = 'fixed' | 'not-fixed' | 'wont-fix' | 'deferred' | 'unknown';

/** One of several vulnerabilities that one record is about. */
export interface BundledVulnerability {
  readonly id: string;
  readonly severity?: SeverityRating;
}

/** One advisory about one package. */
export interface AdvisoryRow {
  readonly id: string;
  /** The same vulnerability elsewhere: OSV `aliases` and `upstream`, sorted, without what is bundled. */
  readonly aliases: readonly string[];
  /** Two or more vulnerabilities that this record fixes together (a DSA, USN or ALSA and its CVEs), sorted by id: each
   *  is a finding of its own. */
  readonly bundled?: readonly BundledVulnerability[];
  readonly summary?: string;
  readonly ranges: readonly AdvisoryRange[];
  /** Exact versions that are affected. */
  readonly versions?: readonly string[];
  readonly severity?: SeverityRating;
  /** What the publisher says of a fix where no range names one. */
  readonly fixState?: FixState;
  /** True for malicious packages (`MAL-`). */
  readonly malicious?: boolean;
}

export interface AdvisoryRevision {
  /** Consecutive number; null where a plain folder was read. */
  readonly revision: number | null;
  readonly contentHash: string;
  /** Newest `modified` of the records, RFC 3339; dates in the future do not count. */
  readonly newestAt: string;
}

/** One revision of the advisories, opened for reading. */
export interface AdvisoryIndex {
  readonly revision: AdvisoryRevision;
  /** Whether the index holds any record of this ecosystem with its suffix (`Debian:12`, `npm`). */
  covers(ecosystem: string): boolean;
  /** Rows of each key; keys without rows are absent. Reads only what the keys need. */
  lookup(keys: readonly PackageKey[]): Promise<ReadonlyMap<PackageKey, readonly AdvisoryRow[]>>;
  /** Whether rows of one of these keys (encodeKeyHashes) changed after revision `since`; also true where that is no
   *  longer known. */
  changedSince(since: number, keyHashes: string): Promise<boolean>;
}

/** First 32 bits of the SHA-256 of a package key: small enough to carry with every image. A collision only makes an
 *  image be judged once more than it needs. */
export function hashPackageKey(key: PackageKey): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0);
}

/** The hashes of the keys, sorted, without repeats, as base64 of big-endian 32-bit numbers. */
export function encodeKeyHashes(keys: readonly PackageKey[]): string {
  const sorted = Uint32Array.from(new Set(keys.map(hashPackageKey))).sort();
  const bytes = Buffer.alloc(sorted.length * 4);
  sorted.forEach((hash, index) => {
    bytes.writeUInt32BE(hash, index * 4);
  });
  return bytes.toString('base64');
}

/** Inverse of encodeKeyHashes. */
export function decodeKeyHashes(text: string): Uint32Array {
  const bytes = Buffer.from(text, 'base64');
  return Uint32Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readUInt32BE(index * 4));
}
