import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCveList } from '../../shared/advisories/cve-list.ts';
import { openAdvisoryFolder } from '../../shared/advisories/folder.ts';
import type { KeyedRow } from '../../shared/advisories/osv-record.ts';
import { openOsvFolder } from '../../shared/advisories/osv-source.ts';
import { readBucket } from '../../shared/advisories/read-bucket.ts';
import { matchPackages } from '../../shared/matching/match.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { apkPackage, debPackage, match, npmPackage } from './advised-packages.ts';

describe.skipIf(!hasCorpus)(`the corpus' advisories${corpusReason}`, () => {
  const feed = join(corpusPath, 'osv');
  const now = new Date('2026-11-24T00:00:00Z');

  it('give exactly the five findings of old npm packages that the corpus was chosen for', async () => {
    const packages = [
      npmPackage('lodash', '4.17.15'),
      npmPackage('minimist', '0.0.8'),
      npmPackage('path-to-regexp', '0.1.7'),
    ];
    const index = await openAdvisoryFolder(feed, ['npm'], now);
    const { findings, issues } = await matchPackages({ packages, distro: undefined }, index);
    expect(findings.map((one) => [one.id, one.packageName, one.severity])).toEqual([
      ['GHSA-29mw-wpgm-hmr9', 'lodash', 'medium'],
      ['GHSA-p6mc-m468-83gw', 'lodash', 'high'],
      ['GHSA-vh95-rmgr-6w4m', 'minimist', 'medium'],
      ['GHSA-xvch-5gv4-984h', 'minimist', 'critical'],
      ['GHSA-rhx6-c78j-4q9w', 'path-to-regexp', 'high'],
    ]);
    expect(issues).toEqual([]);
  });

  it('give exactly three CVEs on two packages of Alpine 3.10.2, with the severity of the CVE', async () => {
    const lines = readFileSync(join(corpusPath, 'images/alpine-3.10.2.expected.tsv'), 'utf8')
      .trim()
      .split('\n');
    const packages = lines.slice(1).map((line) => {
      const [name = '', version = '', , origin = ''] = line.split('\t');
      return apkPackage(name, version, origin);
    });
    expect(packages).toHaveLength(14);
    const ratings = await readCveList(join(corpusPath, 'enrichment/cvelist-v5.zip'));
    const reading = readBucket(openOsvFolder(feed), {
      ecosystems: ['Alpine'],
      rateCve: (id) => ratings.get(id),
      now,
    });
    const rows: KeyedRow[] = [];
    for await (const keyed of reading.rows) rows.push(keyed);
    const { findings, issues } = await match(packages, { id: 'alpine', versionId: '3.10.2' }, rows);
    expect(findings.map((one) => [one.id, one.packageName, one.fixedVersion, one.aliases])).toEqual(
      ['libcrypto1.1', 'libssl1.1'].flatMap((name) =>
        ['1547', '1549', '1563'].map((id) => [
          `ALPINE-CVE-2019-${id}`,
          name,
          '1.1.1d-r0',
          [`CVE-2019-${id}`],
        ]),
      ),
    );
    // OpenSSL rates CVE-2019-1547 "Low" in its record; the list has no record of the two others.
    expect(findings[0]).toMatchObject({ severity: 'low', severitySource: 'cve' });
    expect(findings[1]).toMatchObject({ severity: 'unknown', severitySource: 'none' });
    expect(issues).toEqual([]);
  });
});

describe.skipIf(!hasCorpus)(`real records of the corpus${corpusReason}`, () => {
  // DSA-5169-1 fixed openssl in 1.1.1n-0+deb11u3, DSA-5343-1 in 1.1.1n-0+deb11u4, by debian.org/security.
  it.each([
    [
      '1.1.1n-0+deb11u3',
      ['CVE-2022-2097', 'CVE-2022-4304', 'CVE-2022-4450', 'CVE-2023-0215', 'CVE-2023-0286'],
    ],
    ['1.1.1n-0+deb11u4', []],
  ])('give libssl1.1 %s of Debian 11 each CVE of the update that it lacks', async (version, expected) => {
    const now = new Date('2026-11-24T00:00:00Z');
    const index = await openAdvisoryFolder(join(corpusPath, 'osv'), ['Debian:11'], now);
    const pkg = debPackage('libssl1.1', version, { name: 'openssl', version });
    const { findings } = await matchPackages(
      { packages: [pkg], distro: { id: 'debian', versionId: '11' } },
      index,
    );
    expect(findings.map((one) => [one.id, one.aliases, one.fixedVersion])).toEqual(
      expected.map((id) => [id, ['DSA-5343-1'], '1.1.1n-0+deb11u4']),
    );
  });
});
