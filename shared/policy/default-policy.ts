/** The policy that is in force where nobody gave one. */
import type { CoverageCode } from '../domain/coverage.ts';
import type { Policy } from '../domain/policy.ts';

/** Coverage issues after which "no findings" means nothing for a whole file, layer, distribution or package format. */
export const blindingCodes: readonly CoverageCode[] = [
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
  'UNKNOWN_DISTRO',
  'NO_DISTRO_PACKAGES',
  'DISTRO_WITHOUT_ADVISORIES',
  'ECOSYSTEM_WITHOUT_ADVISORIES',
];

export const defaultPolicy: Policy = {
  name: 'default',
  rules: [
    { id: 'malicious-package', on: 'finding', outcome: 'fail', malicious: true },
    {
      id: 'fixable-critical-or-high',
      on: 'finding',
      outcome: 'fail',
      severities: ['critical', 'high'],
      fixable: true,
    },
    { id: 'other-finding', on: 'finding', outcome: 'warn' },
    { id: 'incomplete-coverage', on: 'coverage', outcome: 'fail', codes: blindingCodes },
    { id: 'lesser-coverage-issue', on: 'coverage', outcome: 'warn' },
  ],
};
