import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CoverageIssue } from '../../shared/domain/coverage.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { tool } from '../../shared/domain/tool.ts';
import { parseReport, reportBytes } from '../../shared/reports/json.ts';
import { sampleFinding, samplePackage, sampleReport, unfixed } from '../support/sample-findings.ts';

const validate = new Ajv2020({ allErrors: true }).compile(
  JSON.parse(readFileSync(new URL('../../docs/schema/report.schema.json', import.meta.url), 'utf8')),
);

const full = {
  packages: [
    samplePackage({
      purl: 'pkg:deb/debian/libssl3@3.0.15-1~deb12u1?arch=amd64&distro=debian-12',
      type: 'deb',
      name: 'libssl3',
      version: '3.0.15-1~deb12u1',
      source: { name: 'openssl', version: '3.0.15-1~deb12u1' },
      licenses: ['OpenSSL', 'Apache-2.0'],
      paths: ['var/lib/dpkg/status.d/b', 'var/lib/dpkg/status.d/a'],
    }),
    samplePackage(),
  ],
  findings: [
    unfixed(sampleFinding({ id: 'CVE-2021-0001', aliases: [], severity: 'low' })),
    sampleFinding({
      cvss: { score: 7.5, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' },
      summary: 'a summary',
      remediation: 'npm install lodash@4.17.21',
    }),
  ],
  issues: [
    { code: 'UNREADABLE_FILE', path: 'var/lib/dpkg/status', layer: digestOf('layer'), detail: 'cut off' },
    { code: 'NO_PACKAGES', detail: 'none' },
  ] satisfies CoverageIssue[],
  distro: { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12', supportEnd: '2028-06-30' },
};

describe('a report', () => {
  it.each([
    ['with everything', full],
    ['of an empty image', { packages: [] }],
  ])('%s fits the published schema', (_, sample) => {
    validate(JSON.parse(Buffer.from(reportBytes(sampleReport(sample))).toString()));
    expect(validate.errors).toBe(null);
  });

  it('has the keys of the contract, in its order', () => {
    const report = sampleReport(full);
    expect(Object.keys(report)).toEqual([
      'schemaVersion',
      'tool',
      'target',
      'os',
      'layers',
      'packages',
      'findings',
      'leaks',
      'checks',
      'coverage',
      'advisories',
      'analyzers',
      'verdict',
    ]);
    expect(report.os).toEqual({
      id: 'debian',
      versionId: '12',
      prettyName: 'Debian GNU/Linux 12',
      endOfLife: '2028-06-30',
    });
    expect(report.packages[0]).toMatchObject({
      source: { name: 'openssl' },
      licenses: ['Apache-2.0', 'OpenSSL'],
      paths: ['var/lib/dpkg/status.d/a', 'var/lib/dpkg/status.d/b'],
    });
    expect(report.findings.map((finding) => [finding.severity, finding.fixedVersion])).toEqual([
      ['high', '4.17.21'],
      ['low', null],
    ]);
    expect(report.findings[0]).toMatchObject({ epss: null, kev: null });
    expect(report.verdict.decision).toBe('fail');
  });

  it('is complete only without a coverage issue', () => {
    expect(sampleReport().coverage).toEqual({ complete: true, issues: [] });
    expect(sampleReport(full).coverage.complete).toBe(false);
  });

  it('tells a coverage issue once, however often it is found', () => {
    const twice = sampleReport({ issues: [...full.issues, ...full.issues.map((issue) => ({ ...issue }))] });
    expect(twice.coverage).toEqual(sampleReport({ issues: full.issues }).coverage);
    expect(twice.coverage.issues).toHaveLength(2);
  });

  it('has the same bytes whatever the order of what it is built from', () => {
    const expected = Buffer.from(reportBytes(sampleReport(full))).toString();
    fc.assert(
      fc.property(
        fc.shuffledSubarray(full.packages, { minLength: 2 }),
        fc.shuffledSubarray(full.findings, { minLength: 2 }),
        fc.shuffledSubarray(full.issues, { minLength: 2 }),
        (packages, findings, issues) => {
          const bytes = reportBytes(sampleReport({ ...full, packages, findings, issues }));
          expect(Buffer.from(bytes).toString()).toBe(expected);
        },
      ),
    );
  });

  it('is read back as it was written', () => {
    const report = sampleReport(full);
    expect(parseReport(reportBytes(report), 'report')).toEqual(report);
  });

  it.each([
    ['no JSON', '{', 'expected a report as JSON'],
    [
      'another schema version',
      JSON.stringify({ ...sampleReport(), schemaVersion: '2.0' }),
      'at schemaVersion',
    ],
    [
      'a digest of another kind',
      JSON.stringify({ ...sampleReport(), layers: [{ digest: 'md5:1' }] }),
      'at layers.0.digest',
    ],
  ])('that is %s is refused with INVALID_INPUT', (_, text, message) => {
    const read = () => parseReport(Buffer.from(text), 'reports/x.json');
    expect(read).toThrow(PlimsollError);
    expect(read).toThrow(message);
  });
});

it('the version of the tool is the one of the package', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(manifest).toMatchObject({ name: tool.name, version: tool.version });
});
