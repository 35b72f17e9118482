import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { diffReports, findingKey } from '../../shared/reports/changes.ts';
import { sampleFinding, sampleReport, unfixed } from '../support/sample-findings.ts';

const finding = sampleFinding();
const subject = 'CVE-2020-0001 pkg:npm/lodash';

describe('the changes between two reports', () => {
  it('without an older report are every finding, every coverage issue and the decision', () => {
    const after = sampleReport({ findings: [finding], issues: [{ code: 'NO_PACKAGES', detail: 'none' }] });
    expect(diffReports(undefined, after)).toEqual([
      {
        kind: 'finding.new',
        subject,
        severity: 'high',
        title: 'GHSA-aaaa-bbbb-cccc (high) in pkg:npm/lodash@4.17.15',
        advisory: 'GHSA-aaaa-bbbb-cccc',
        purl: 'pkg:npm/lodash@4.17.15',
        fixedVersion: '4.17.21',
      },
      { kind: 'coverage.new', subject: 'NO_PACKAGES', title: 'NO_PACKAGES: none' },
      { kind: 'decision', subject: 'decision', title: 'verdict: fail', after: 'fail' },
    ]);
  });

  it.each([
    ['nothing changed', [finding], [finding], []],
    [
      'a finding is new',
      [],
      [finding],
      [
        ['finding.new', subject],
        ['decision', 'decision'],
      ],
    ],
    [
      'a finding is gone',
      [finding],
      [],
      [
        ['finding.gone', subject],
        ['decision', 'decision'],
      ],
    ],
    [
      'the package stands there in another version',
      [finding],
      [{ ...finding, purl: 'pkg:npm/lodash@4.17.16' }],
      [],
    ],
    ['the package came with another layer', [finding], [{ ...finding, layer: digestOf('other') }], []],
    ['the advisory gained its CVE', [{ ...finding, aliases: [] }], [finding], []],
    [
      'another advisory speaks of the same CVE',
      [finding],
      [{ ...finding, id: 'CVE-2020-0001', aliases: ['GHSA-xxxx-yyyy-zzzz'] }],
      [],
    ],
    [
      'the vulnerability is another',
      [finding],
      [{ ...finding, id: 'CVE-2020-0002', aliases: [] }],
      [
        ['finding.new', 'CVE-2020-0002 pkg:npm/lodash'],
        ['finding.gone', subject],
      ],
    ],
    [
      'it is in another package',
      [finding],
      [{ ...finding, purl: 'pkg:npm/lodash.merge@4.6.1' }],
      [
        ['finding.new', 'CVE-2020-0001 pkg:npm/lodash.merge'],
        ['finding.gone', subject],
      ],
    ],
    ['one of two versions is gone', [finding, { ...finding, purl: 'pkg:npm/lodash@3.0.0' }], [finding], []],
    [
      'it was rated anew',
      [finding],
      [{ ...finding, severity: 'critical' as const }],
      [['finding.severity', subject]],
    ],
    [
      'a fix came',
      [unfixed(finding)],
      [finding],
      [
        ['finding.fix-available', subject],
        ['decision', 'decision'],
      ],
    ],
    ['another fix came', [finding], [{ ...finding, fixedVersion: '4.17.22' }], []],
  ])('where %s', (_, before, after, expected) => {
    const changes = diffReports(sampleReport({ findings: before }), sampleReport({ findings: after }));
    expect(changes.map((change) => [change.kind, change.subject])).toEqual(expected);
  });

  it('say what was before and what is after', () => {
    const before = sampleReport({ findings: [unfixed(sampleFinding({ severity: 'medium' }))] });
    const after = sampleReport({ findings: [finding] });
    expect(diffReports(before, after)[1]).toMatchObject({ fixedVersion: '4.17.21' });
    expect(diffReports(before, after).map(({ kind, before, after }) => [kind, before, after])).toEqual([
      ['finding.severity', 'medium', 'high'],
      ['finding.fix-available', undefined, undefined],
      ['decision', 'warn', 'fail'],
    ]);
  });

  it('of coverage are by code and place, whatever the layer and the words', () => {
    const issue = { code: 'UNREADABLE_FILE', path: 'a', layer: digestOf('1'), detail: 'x' } as const;
    const before = sampleReport({ issues: [issue] });
    const same = sampleReport({ issues: [{ ...issue, layer: digestOf('2'), detail: 'y' }] });
    const other = sampleReport({ issues: [{ ...issue, path: 'b' }] });
    expect(diffReports(before, same)).toEqual([]);
    expect(diffReports(before, other).map((change) => [change.kind, change.subject])).toEqual([
      ['coverage.new', 'UNREADABLE_FILE b'],
      ['coverage.gone', 'UNREADABLE_FILE a'],
    ]);
  });

  it('of two reports with the same findings are none, and back and forth they are opposite', () => {
    const some = fc.array(
      fc
        .record({
          id: fc.constantFrom('GHSA-1', 'GHSA-2', 'CVE-1', 'CVE-2'),
          aliases: fc.subarray(['CVE-1', 'CVE-3']),
          name: fc.constantFrom('a', 'b'),
        })
        .map(({ id, aliases, name }) => sampleFinding({ id, aliases, purl: `pkg:npm/${name}@1` })),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(some, some, (a, b) => {
        const [before, after] = [sampleReport({ findings: a }), sampleReport({ findings: b })];
        expect(diffReports(before, before)).toEqual([]);
        const there = diffReports(before, after);
        const back = diffReports(after, before);
        const of = (changes: typeof there, kind: string) =>
          changes.filter((change) => change.kind === kind).map((change) => change.subject);
        expect(of(there, 'finding.new')).toEqual(of(back, 'finding.gone'));
        expect(of(there, 'finding.gone')).toEqual(of(back, 'finding.new'));
        const keys = there.map((change) => `${change.kind} ${change.subject}`);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  it('of 20,000 findings with long chains of aliases come in seconds', () => {
    const findings = Array.from({ length: 20_000 }, (_, index) =>
      sampleFinding({ id: `CVE-2020-${index}`, aliases: [`CVE-2020-${index + 1}`] }),
    );
    const startedAtMs = performance.now();
    expect(diffReports(sampleReport(), sampleReport({ findings })).map((change) => change.kind)).toEqual([
      'finding.new',
      'decision',
    ]);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});

describe('the key of a finding', () => {
  it.each([
    [
      'the smallest CVE',
      { id: 'DSA-1-1', aliases: ['CVE-2020-2', 'CVE-2020-1'] },
      'CVE-2020-1 pkg:npm/lodash',
    ],
    ['the id where there is no CVE', { id: 'GHSA-1', aliases: ['PYSEC-1'] }, 'GHSA-1 pkg:npm/lodash'],
    [
      'the package without version and qualifiers',
      { purl: 'pkg:deb/debian/libssl3@3.0?arch=amd64' },
      'CVE-2020-0001 pkg:deb/debian/libssl3',
    ],
    ['the scope of a package', { purl: 'pkg:npm/%40scope/name@1.0' }, 'CVE-2020-0001 pkg:npm/%40scope/name'],
  ])('has %s', (_, overrides, key) => {
    expect(findingKey(sampleFinding(overrides))).toBe(key);
  });
});
