import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeText, shorten } from '../../shared/reports/safe-text.ts';
import { renderTable } from '../../shared/reports/table.ts';
import { sampleFinding, samplePackage, sampleReport, unfixed } from '../support/sample-findings.ts';

const escape = '\u001B';

describe('the table', () => {
  it('shows the image, the findings from the worst, coverage, and the verdict with its reasons', () => {
    const report = sampleReport({
      distro: { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' },
      findings: [
        unfixed(sampleFinding({ id: 'CVE-2021-0002', aliases: [], severity: 'low' })),
        sampleFinding({ severity: 'critical' }),
      ],
      issues: [{ code: 'DISTRO_WITHOUT_ADVISORIES', detail: 'no advisories about Debian 12' }],
    });
    expect(renderTable(report, { colour: false }).split('\n')).toEqual([
      'Image       registry.example.com/team/app:v1',
      `Digest      ${report.target.digest}`,
      'Platform    linux/amd64',
      'System      Debian GNU/Linux 12 (bookworm)',
      'Packages    1 (1 npm)',
      'Advisories  newest of 2026-11-20T00:00:00Z',
      'Verdict     FAIL by policy default',
      '',
      'SEVERITY  PACKAGE  INSTALLED  FIXED      VULNERABILITY',
      'critical  lodash   4.17.15    4.17.21    GHSA-aaaa-bbbb-cccc (CVE-2020-0001)',
      'low       lodash   4.17.15    not-fixed  CVE-2021-0002',
      '',
      '2 findings: 1 critical, 1 low; 1 with a fix',
      '',
      'Coverage    incomplete: 1 issue (docs/coverage.md)',
      '  DISTRO_WITHOUT_ADVISORIES no advisories about Debian 12',
      '',
      'Verdict     FAIL by policy default',
      '  fixable-critical-or-high: 1 finding (1 critical): GHSA-aaaa-bbbb-cccc in lodash 4.17.15',
      '  incomplete-coverage: 1 coverage issue (1 DISTRO_WITHOUT_ADVISORIES): no advisories about Debian 12',
      '  other-finding: 1 finding (1 low): CVE-2021-0002 in lodash 4.17.15',
      '',
    ]);
  });

  it('says so where there are no findings and coverage is complete', () => {
    const table = renderTable(sampleReport(), { colour: false });
    expect(table).toContain('\nNo findings.\n');
    expect(table).toContain('\nCoverage    complete\n');
    expect(table).toContain('\nVerdict     PASS by policy default\n');
  });

  it('has colours only where they were asked for', () => {
    const report = sampleReport({ findings: [sampleFinding()] });
    expect(renderTable(report, { colour: false })).not.toContain(escape);
    const coloured = renderTable(report, { colour: true });
    expect(coloured).toContain(`${escape}[31mhigh${escape}[0m`);
    expect(stripVTControlCharacters(coloured)).toBe(renderTable(report, { colour: false }));
  });

  it('keeps to the width of the terminal and leaves ids whole', () => {
    const name = 'a-package-with-a-very-long-name-indeed-'.repeat(3);
    const report = sampleReport({
      packages: [samplePackage({ name, version: '4.17.15' })],
      findings: [sampleFinding()],
    });
    const lines = renderTable(report, { colour: false, columns: 90 }).split('\n');
    expect(lines.filter((line) => line.includes('GHSA-aaaa-bbbb-cccc (CVE-2020-0001)'))).toHaveLength(1);
    expect(lines.filter((line) => line.length > 90)).toEqual([]);
    expect(lines.filter((line) => line.includes('a-package-with'))[0]).toContain('…');
  });

  it('lets no text of an image reach the terminal as anything but text', () => {
    const hostile = `evil${escape}]0;title\u0007${escape}[2J\u202Egnp.exe\u009B31m\nVerdict PASS`;
    const report = sampleReport({
      packages: [samplePackage({ name: hostile, version: hostile, purl: hostile })],
      findings: [
        sampleFinding({ purl: hostile, packageName: hostile, packageVersion: hostile, id: hostile }),
      ],
      issues: [{ code: 'UNREADABLE_FILE', path: hostile, detail: hostile }],
      distro: { id: 'x', prettyName: hostile },
    });
    const table = renderTable(report, { colour: false, columns: 80 });
    expect(table).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
    expect(table.split('\n').filter((line) => line.startsWith('Verdict PASS'))).toEqual([]);
  });
});

describe('safe text', () => {
  it.each([
    ['a colour', `a${escape}[31mb`, 'a\uFFFD[31mb'],
    ['a line end', 'a\r\n\tb', 'a b'],
    ['an 8-bit control', 'a\u009Bb', 'a\uFFFDb'],
    ['a bidirectional override', 'a\u202Eb\u2066', 'a\uFFFDb\uFFFD'],
    ['a zero width', 'a\u200Bb\uFEFF', 'a\uFFFDb\uFFFD'],
    ['a tag character', 'a\u{E0041}', 'a\uFFFD'],
    ['a lone surrogate', 'a\uD800b', 'a\uFFFDb'],
    ['ordinary text of any script', 'naïve 包 🚢', 'naïve 包 🚢'],
  ])('takes out %s', (_, text, expected) => {
    expect(safeText(text)).toBe(expected);
  });

  it('holds no control or format character, whatever came in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(safeText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });

  it('is cut between characters', () => {
    expect(shorten('🚢🚢🚢', 2)).toBe('🚢…');
    expect(shorten('abc', 3)).toBe('abc');
  });
});
