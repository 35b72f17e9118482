import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CoverageIssue } from '../../shared/domain/coverage.ts';
import type { Finding } from '../../shared/domain/finding.ts';
import type { Policy, PolicyRule } from '../../shared/domain/policy.ts';
import { severities } from '../../shared/domain/severity.ts';
import { defaultPolicy } from '../../shared/policy/default-policy.ts';
import { evaluatePolicy } from '../../shared/policy/evaluate-policy.ts';
import { sampleFinding, unfixed } from '../support/sample-findings.ts';

const policyOf = (...rules: PolicyRule[]): Policy => ({ name: 'test', rules });

describe('the default policy', () => {
  it.each<[string, Finding | undefined, CoverageIssue | undefined, string, string | undefined]>([
    ['passes an image without findings and issues', undefined, undefined, 'pass', undefined],
    [
      'fails on a fixable critical finding',
      sampleFinding({ severity: 'critical' }),
      undefined,
      'fail',
      'fixable-critical-or-high',
    ],
    ['fails on a fixable high finding', sampleFinding(), undefined, 'fail', 'fixable-critical-or-high'],
    [
      'warns of a critical finding without a fix',
      unfixed(sampleFinding({ severity: 'critical' })),
      undefined,
      'warn',
      'other-finding',
    ],
    [
      'warns of a fixable medium finding',
      sampleFinding({ severity: 'medium' }),
      undefined,
      'warn',
      'other-finding',
    ],
    [
      'warns of an unrated finding',
      sampleFinding({ severity: 'unknown' }),
      undefined,
      'warn',
      'other-finding',
    ],
    [
      'fails on a malicious package of any severity',
      unfixed(sampleFinding({ severity: 'unknown', malicious: true })),
      undefined,
      'fail',
      'malicious-package',
    ],
    [
      'fails on a distribution without advisories',
      undefined,
      { code: 'DISTRO_WITHOUT_ADVISORIES', detail: 'Debian 12' },
      'fail',
      'incomplete-coverage',
    ],
    [
      'fails on an unreadable package file',
      undefined,
      { code: 'UNREADABLE_FILE', path: 'var/lib/dpkg/status', detail: 'cut off' },
      'fail',
      'incomplete-coverage',
    ],
    [
      'warns of a version that has no order',
      undefined,
      { code: 'UNEVALUATED_VERSION', detail: 'x' },
      'warn',
      'lesser-coverage-issue',
    ],
  ])('%s', (_, finding, issue, decision, rule) => {
    const evaluation = evaluatePolicy(
      defaultPolicy,
      finding === undefined ? [] : [finding],
      issue === undefined ? [] : [issue],
    );
    expect(evaluation.decision).toBe(decision);
    expect(evaluation.reasons.map((reason) => reason.rule)).toEqual(rule === undefined ? [] : [rule]);
  });
});

describe('a policy', () => {
  it('lets the first rule that fits decide', () => {
    const ignored: PolicyRule = { id: 'known', on: 'finding', outcome: 'ignore', ids: ['CVE-2020-0001'] };
    const failing: PolicyRule = { id: 'all', on: 'finding', outcome: 'fail' };
    expect(evaluatePolicy(policyOf(ignored, failing), [sampleFinding()], []).decision).toBe('pass');
    expect(evaluatePolicy(policyOf(failing, ignored), [sampleFinding()], []).decision).toBe('fail');
  });

  it('warns of what no rule fits, and says so', () => {
    const evaluation = evaluatePolicy(
      policyOf(),
      [sampleFinding()],
      [{ code: 'NO_PACKAGES', detail: 'none' }],
    );
    expect(evaluation).toEqual({
      decision: 'warn',
      reasons: [
        {
          rule: 'no-rule',
          message:
            '1 finding (1 high): GHSA-aaaa-bbbb-cccc in lodash 4.17.15; 1 coverage issue (1 NO_PACKAGES): none',
        },
      ],
    });
  });

  it.each<[string, Omit<Extract<PolicyRule, { on: 'finding' }>, 'id' | 'on' | 'outcome'>, boolean]>([
    ['a severity in the list', { severities: ['low', 'high'] }, true],
    ['a severity that is not in the list', { severities: ['low'] }, false],
    ['a fix where one is wanted', { fixable: true }, true],
    ['a fix where none is wanted', { fixable: false }, false],
    ['no malice where malice is wanted', { malicious: true }, false],
    ['no malice where none is wanted', { malicious: false }, true],
    ['the id', { ids: ['GHSA-aaaa-bbbb-cccc'] }, true],
    ['an alias', { ids: ['CVE-2020-0001'] }, true],
    ['a part of an id', { ids: ['CVE-2020-000'] }, false],
    ['a glob over the purl', { packages: ['pkg:npm/*'] }, true],
    ['a glob with a star inside', { packages: ['pkg:*/lodash@4.*'] }, true],
    ['a glob of another type', { packages: ['pkg:deb/*'] }, false],
    ['a glob without a star that is only a part', { packages: ['pkg:npm/lodash'] }, false],
    ['one condition of two', { severities: ['high'], packages: ['pkg:deb/*'] }, false],
  ])('holds a condition against a finding: %s', (_, conditions, fits) => {
    const policy = policyOf({ id: 'rule', on: 'finding', outcome: 'fail', ...conditions });
    expect(evaluatePolicy(policy, [sampleFinding()], []).decision).toBe(fits ? 'fail' : 'warn');
  });

  it('names the first few findings, worst first, and counts the rest', () => {
    const findings = Array.from({ length: 7 }, (_, index) =>
      sampleFinding({ id: `CVE-2020-000${index}`, aliases: [], severity: index === 6 ? 'critical' : 'high' }),
    );
    expect(evaluatePolicy(defaultPolicy, findings, []).reasons[0]?.message).toBe(
      '7 findings (1 critical, 6 high): CVE-2020-0006 in lodash 4.17.15, CVE-2020-0000 in lodash 4.17.15, ' +
        'CVE-2020-0001 in lodash 4.17.15, CVE-2020-0002 in lodash 4.17.15, CVE-2020-0003 in lodash 4.17.15 and 2 more',
    );
  });

  it('says the same whatever the order of findings and issues', () => {
    const finding = fc.record({
      id: fc.constantFrom('CVE-1', 'CVE-2', 'CVE-3'),
      severity: fc.constantFrom(...severities),
      packageName: fc.constantFrom('a', 'b'),
      malicious: fc.boolean(),
    });
    const issue = fc.record({
      code: fc.constantFrom<CoverageIssue['code']>('NO_PACKAGES', 'UNREADABLE_FILE', 'LIMIT_BYTES'),
      detail: fc.constantFrom('x', 'y'),
    });
    fc.assert(
      fc.property(fc.array(finding), fc.array(issue), fc.infiniteStream(fc.nat()), (some, issues, random) => {
        const findings = some.map((each) =>
          sampleFinding({ ...each, purl: `pkg:npm/${each.packageName}@1` }),
        );
        const shuffle = <T>(items: readonly T[]): T[] =>
          items
            .map((item) => ({ item, key: random.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        expect(evaluatePolicy(defaultPolicy, shuffle(findings), shuffle(issues))).toEqual(
          evaluatePolicy(defaultPolicy, findings, issues),
        );
      }),
    );
  });
});
