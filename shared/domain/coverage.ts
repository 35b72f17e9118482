/** What was not read or not judged: a coverage issue is data in the report and can fail a policy. */
import type { Digest } from './digest.ts';

/** Codes of coverage issues; docs/coverage.md explains each; a test holds that. */
export const coverageCodes = [
  'UNREADABLE_FILE',
  'FILE_TOO_LARGE',
  'UNRESOLVED_LINK',
  'BROKEN_ARCHIVE',
  'TRAILING_DATA',
  'UNSAFE_PATH',
  'LIMIT_ENTRIES',
  'LIMIT_BYTES',
  'LIMIT_RATIO',
  'LIMIT_MEMORY',
  'UNSUPPORTED_COMPRESSION',
  'LAYER_DIGEST_MISMATCH',
  'LAYER_TOO_LARGE',
  'LAYER_NOT_AVAILABLE',
  'DIFF_ID_MISMATCH',
  'STALE_ANALYZER',
  'UNKNOWN_DISTRO',
  'NO_DISTRO_PACKAGES',
  'DISTRO_WITHOUT_ADVISORIES',
  'ECOSYSTEM_WITHOUT_ADVISORIES',
  'UNEVALUATED_VERSION',
  'UNEVALUATED_ADVISORY',
  'ADVISORIES_STALE',
  'NO_PACKAGES',
] as const;

export type CoverageCode = (typeof coverageCodes)[number];

export interface CoverageIssue {
  readonly code: CoverageCode;
  /** Path in the image, without a leading slash. */
  readonly path?: string;
  readonly layer?: Digest;
  /** Package that could not be judged, as a purl. */
  readonly purl?: string;
  readonly detail: string;
}
