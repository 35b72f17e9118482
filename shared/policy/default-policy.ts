/** The policy that is in force where nobody gave one. */
import { type CoverageCode, coverageCodes } from '../domain/coverage.ts';
import type { Policy } from '../domain/policy.ts';

/** Coverage issues that leave most of what was found standing; each says what it is about. */
const lesserCodes: ReadonlySet<CoverageCode> = new Set([
  'STALE_ANALYZER',
  'UNEVALUATED_VERSION',
  'UNEVALUATED_ADVISORY',
  'ADVISORIES_STALE',
  'NO_PACKAGES',
]);

/** Every other one, also one that is new: after it "no findings" means nothing for a whole file, layer, distribution or
 *  package format. */
const blindingCodes = coverageCodes.filter((code) => !lesserCodes.has(code));

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
