import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../shared/domain/report.ts';
import { parseReport } from '../../shared/reports/json.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { runCommand } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-alpine-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function scan(target: string, advisories: string): Promise<Report> {
  const result = await runCommand(['scan', target, '--advisories', advisories, '--format', 'json']);
  expect(result.stderr).toBe('');
  return parseReport(Buffer.from(result.stdout), 'stdout');
}

/** Names of the vulnerabilities, each with its package. */
function cvesOf(report: Report): string[] {
  return report.findings
    .map((finding) => {
      const cve = [finding.id, ...finding.aliases].find((name) => name.startsWith('CVE-'));
      return `${cve} ${report.packages.find((found) => found.purl === finding.purl)?.name}`;
    })
    .sort();
}

const expectedCves = [
  'CVE-2019-1547 libcrypto1.1',
  'CVE-2019-1547 libssl1.1',
  'CVE-2019-1549 libcrypto1.1',
  'CVE-2019-1549 libssl1.1',
  'CVE-2019-1563 libcrypto1.1',
  'CVE-2019-1563 libssl1.1',
];

describe.skipIf(!hasCorpus)(`a real Alpine image${corpusReason}`, () => {
  const images = join(corpusPath, 'images');
  const plain = join(corpusPath, 'osv');
  const synced = join(folder, 'synced');

  beforeAll(async () => {
    const args = ['advisories', 'sync', '--to', synced, '--from', plain, '--ecosystem', 'Alpine'];
    const cveList = ['--cve-list', join(corpusPath, 'enrichment/cvelist-v5.zip')];
    const result = await runCommand([...args, ...cveList]);
    if (result.exitCode !== 0) throw new Error(`advisories sync failed: ${result.stderr}`);
  });

  /** Rows of the image's own apk database (corpus README). */
  function expectedPackages(): string[] {
    const [, ...rows] = readFileSync(join(images, 'alpine-3.10.2.expected.tsv'), 'utf8').trim().split('\n');
    return rows.map((row) => row.split('\t').slice(0, 2).join(' ')).sort();
  }

  it.each([
    ['an OCI layout', 'oci:alpine-3.10.2-oci', 'plain'],
    ['a gzipped docker save', 'docker-archive:alpine-3.10.2.docker.tar.gz', 'plain'],
    ['an OCI layout', 'oci:alpine-3.10.2-oci', 'synced'],
  ])('from %s (%s) with %s advisories has exactly its packages and findings', async (_, target, kind) => {
    const report = await scan(target.replace(':', `:${images}/`), kind === 'plain' ? plain : synced);
    const packages = report.packages.map((found) => `${found.name} ${found.version}`).sort();
    expect(packages).toHaveLength(14);
    expect(packages).toEqual(expectedPackages());
    expect(cvesOf(report)).toEqual(expectedCves);
    expect(new Set(report.findings.map((finding) => finding.fixedVersion))).toEqual(new Set(['1.1.1d-r0']));
    expect(report.os).toMatchObject({ id: 'alpine', versionId: '3.10.2' });
  });

  it('has severities from the CVE where the CVE list has them', async () => {
    const report = await scan(`oci:${images}/alpine-3.10.2-oci`, synced);
    const ratings = new Map(report.findings.map((found) => [found.aliases[0], found.severity]));
    // unzip -p cvelist-v5.zip cves/2019/1xxx/CVE-2019-1547.json | jq .containers.cna.metrics says "Low"; the corpus
    // holds no record of the others.
    expect(Object.fromEntries(ratings)).toEqual({
      'CVE-2019-1547': 'low',
      'CVE-2019-1549': 'unknown',
      'CVE-2019-1563': 'unknown',
    });
  });

  it('has the same report twice but for the moment', async () => {
    const [first, second] = [
      await scan(`oci:${images}/alpine-3.10.2-oci`, plain),
      await scan(`oci:${images}/alpine-3.10.2-oci`, plain),
    ];
    const withoutMoment = (report: Report) => ({ ...report, verdict: { ...report.verdict, asOf: '' } });
    expect(withoutMoment(second)).toEqual(withoutMoment(first));
  });
});
