import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCveList } from '../../shared/advisories/cve-list.ts';
import { emptyIndex } from '../../shared/advisories/empty-index.ts';
import { openAdvisoryFolder } from '../../shared/advisories/folder.ts';
import { indexOfRows } from '../../shared/advisories/memory-index.ts';
import type { KeyedRow } from '../../shared/advisories/osv-record.ts';
import { openOsvFolder } from '../../shared/advisories/osv-source.ts';
import { readBucket } from '../../shared/advisories/read-bucket.ts';
import { type AdvisoryRow, packageKey } from '../../shared/domain/advisory.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import type { Distro, Package } from '../../shared/domain/package.ts';
import { ecosystemsOf, matchPackages, packageKeysOf } from '../../shared/matching/match.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';

const layer = digestOf('layer');

function npmPackage(name: string, version: string, ownedBy: string | null = null): Package {
  return { purl: `pkg:npm/${name}@${version}`, type: 'npm', name, version, layer, paths: [], ownedBy };
}

function debPackage(name: string, version: string, source?: Package['source']): Package {
  const purl = `pkg:deb/debian/${name}@${version}`;
  return { purl, type: 'deb', name, version, layer, paths: [], ownedBy: null, ...(source && { source }) };
}

function apkPackage(name: string, version: string, origin?: string): Package {
  const purl = `pkg:apk/alpine/${name}@${version}`;
  const source = origin === undefined ? {} : { source: { name: origin, version } };
  return { purl, type: 'apk', name, version, layer, paths: [], ownedBy: null, ...source };
}

/** A row that is fixed in one version. */
function fixedIn(
  ecosystem: string,
  name: string,
  id: string,
  fixed: string,
  more: Partial<AdvisoryRow> = {},
): KeyedRow {
  return {
    key: packageKey(ecosystem, name),
    row: {
      id,
      aliases: [],
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
      ...more,
    },
  };
}

const debian: Distro = { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' };

async function match(packages: readonly Package[], distro: Distro | undefined, rows: readonly KeyedRow[]) {
  return matchPackages({ packages, distro }, indexOfRows(rows));
}

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

describe('matching a package of a distribution', () => {
  it('asks for the source package and compares the version of the source', async () => {
    const pkg = debPackage('bsdutils', '1:2.38.1-5+b1', { name: 'util-linux', version: '2.38.1-5' });
    const { findings } = await match([pkg], debian, [
      fixedIn('Debian:12', 'util-linux', 'DSA-1-1', '2.38.1-6'),
      fixedIn('Debian:12', 'bsdutils', 'DSA-2-1', '1:9'),
    ]);
    expect(findings.map((one) => one.id)).toEqual(['DSA-1-1']);
  });

  it('proposes an upgrade without a version where the binary package has numbers of its own', async () => {
    const pkg = debPackage('bsdutils', '1:2.38.1-5', { name: 'util-linux', version: '2.38.1-5' });
    const { findings } = await match([pkg], debian, [
      fixedIn('Debian:12', 'util-linux', 'DSA-1-1', '2.38.1-6'),
    ]);
    expect(findings[0]?.remediation).toBe('apt-get install --only-upgrade bsdutils');
  });

  it('takes no advisory of another release', async () => {
    const { findings } = await match([debPackage('bash', '5.2')], debian, [
      fixedIn('Debian:11', 'bash', 'DSA-1-1', '6'),
    ]);
    expect(findings).toEqual([]);
  });

  it.each<[string, Distro, string]>([
    ['Debian by its number', { id: 'debian', versionId: '12' }, 'Debian:12'],
    ['Debian testing by its codename', { id: 'debian', codename: 'forky' }, 'Debian:14'],
    ['a long-term Ubuntu', { id: 'ubuntu', versionId: '22.04' }, 'Ubuntu:22.04:LTS'],
    ['an interim Ubuntu', { id: 'ubuntu', versionId: '25.10' }, 'Ubuntu:25.10'],
    ['the April Ubuntu of an odd year', { id: 'ubuntu', versionId: '23.04' }, 'Ubuntu:23.04'],
    ['Alpine by its branch', { id: 'alpine', versionId: '3.20.3' }, 'Alpine:v3.20'],
    ['Wolfi, whose version is a date', { id: 'wolfi', versionId: '20230201' }, 'Wolfi'],
    ['Chainguard', { id: 'chainguard', versionId: '20230214' }, 'Chainguard'],
  ])('knows the ecosystem of %s', (_, distro, ecosystem) => {
    expect(ecosystemsOf({ packages: [], distro })).toEqual([ecosystem]);
  });

  it('matches Wolfi by the name of the package, Alpine by its origin', async () => {
    const pkg = apkPackage('libssl3', '3.0.0-r0', 'openssl');
    const rows = [
      fixedIn('Wolfi', 'libssl3', 'CGA-1', '3.0.1-r0'),
      fixedIn('Alpine:v3.20', 'openssl', 'ALPINE-CVE-2024-1', '3.0.1-r0'),
    ];
    const wolfi = await match([pkg], { id: 'wolfi' }, rows);
    const alpine = await match([pkg], { id: 'alpine', versionId: '3.20.1' }, rows);
    expect(wolfi.findings.map((one) => one.id)).toEqual(['CGA-1']);
    expect(alpine.findings.map((one) => one.id)).toEqual(['ALPINE-CVE-2024-1']);
  });
});

describe('what can not be judged', () => {
  it('is said once for a distribution that the advisories do not hold, with the number of packages', async () => {
    const packages = [debPackage('bash', '5.2'), debPackage('dash', '0.5'), npmPackage('a', '1.0.0')];
    const { issues } = await match(packages, debian, [fixedIn('npm', 'b', 'GHSA-1', '1.0.0')]);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({
      code: 'DISTRO_WITHOUT_ADVISORIES',
      detail: expect.stringMatching(/^Debian:12.* 2 packages/),
    });
  });

  it.each<[string, Distro]>([
    ['Alpine edge', { id: 'alpine', versionId: '3.23_alpha20250612' }],
    ['a Debian release without number or known name', { id: 'debian', codename: 'zurg' }],
    ['a distribution that OSV does not have', { id: 'fedora', versionId: '42' }],
  ])(
    'is a distribution without advisories: %s, also where none of its packages was read',
    async (_, distro) => {
      const { issues } = await match([], distro, []);
      expect(issues.map((one) => one.code)).toEqual(['DISTRO_WITHOUT_ADVISORIES']);
    },
  );

  it('is a distribution that nobody knows, even if it is like a known one', async () => {
    const distro: Distro = { id: 'kali', versionId: '2026.1', idLike: ['debian'] };
    const { findings, issues } = await match([debPackage('bash', '5.2')], distro, [
      fixedIn('Debian:12', 'bash', 'DSA-1-1', '6'),
    ]);
    expect(findings).toEqual([]);
    expect(issues.map((one) => one.code)).toEqual(['UNKNOWN_DISTRO']);
  });

  it('are packages of an operating system without os-release, and of another format than the distribution has', async () => {
    const pkg = debPackage('bash', '5.2');
    expect((await match([pkg], undefined, [])).issues.map((one) => one.code)).toEqual(['UNKNOWN_DISTRO']);
    const rows = [fixedIn('Alpine:v3.20', 'x', 'A-1', '1')];
    const { issues } = await match([pkg], { id: 'alpine', versionId: '3.20.0' }, rows);
    expect(issues.map((one) => one.code)).toEqual(['UNKNOWN_DISTRO']);
  });

  it('is not said of an image without os-release and without such packages', async () => {
    const { issues } = await match([npmPackage('a', '1.0.0')], undefined, [
      fixedIn('npm', 'b', 'GHSA-1', '1.0.0'),
    ]);
    expect(issues).toEqual([]);
  });

  it('is everything before the first synchronisation', async () => {
    const { issues } = await matchPackages(
      { packages: [npmPackage('a', '1.0.0')], distro: debian },
      emptyIndex,
    );
    expect(issues.map((one) => one.code)).toEqual([
      'DISTRO_WITHOUT_ADVISORIES',
      'ECOSYSTEM_WITHOUT_ADVISORIES',
    ]);
  });

  it('is a version without a place in the order: once a package, and only where there is something to judge', async () => {
    const packages = [npmPackage('a', 'banana'), npmPackage('c', 'banana')];
    const { findings, issues } = await match(packages, undefined, [
      fixedIn('npm', 'a', 'GHSA-1', '1.0.0'),
      fixedIn('npm', 'a', 'GHSA-2', '1.0.0'),
    ]);
    expect(findings).toEqual([]);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ code: 'UNEVALUATED_VERSION', purl: 'pkg:npm/a@banana' });
  });

  it('is an advisory whose version has no place in the order', async () => {
    const { issues } = await match([npmPackage('a', '1.0.0')], undefined, [
      fixedIn('npm', 'a', 'GHSA-1', 'soon'),
    ]);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({
      code: 'UNEVALUATED_ADVISORY',
      detail: expect.stringContaining('GHSA-1'),
    });
  });
});

describe('one finding for each vulnerability and package', () => {
  it('joins advisories that name each other, over a third one too, and prefers the ecosystem’s own id', async () => {
    const { findings } = await match([npmPackage('a', '1.0.0')], undefined, [
      fixedIn('npm', 'a', 'SNYK-1', '1.1.0', { aliases: ['CVE-2024-1'] }),
      fixedIn('npm', 'a', 'GHSA-1', '1.2.0', { aliases: ['CVE-2024-1'] }),
      fixedIn('npm', 'a', 'OTHER-1', '1.1.0', { aliases: ['GHSA-1'] }),
      fixedIn('npm', 'a', 'GHSA-2', '1.1.0', { aliases: ['CVE-2024-2'] }),
    ]);
    expect(findings.map(({ id, aliases, fixedVersion }) => ({ id, aliases, fixedVersion }))).toEqual([
      { id: 'GHSA-1', aliases: ['CVE-2024-1', 'OTHER-1', 'SNYK-1'], fixedVersion: '1.2.0' },
      { id: 'GHSA-2', aliases: ['CVE-2024-2'], fixedVersion: '1.1.0' },
    ]);
  });

  it('counts an update of several CVEs once for each, and repeats none that has a record of its own', async () => {
    const { findings } = await match([debPackage('openssl', '1.0-1')], debian, [
      fixedIn('Debian:12', 'openssl', 'DSA-1-1', '1.0-3', {
        bundled: [
          { id: 'CVE-2024-1', severity: { severity: 'low', source: 'cve' } },
          { id: 'CVE-2024-2', severity: { severity: 'high', source: 'cve' } },
        ],
      }),
      fixedIn('Debian:12', 'openssl', 'DSA-2-1', '1.0-4', {
        bundled: [{ id: 'CVE-2024-2' }, { id: 'CVE-2024-3' }],
      }),
      fixedIn('Debian:12', 'openssl', 'DEBIAN-CVE-2024-1', '1.0-3', {
        aliases: ['CVE-2024-1'],
        severity: { severity: 'medium', source: 'distro' },
      }),
    ]);
    expect(
      findings.map(({ id, aliases, severity, fixedVersion }) => [id, aliases, severity, fixedVersion]),
    ).toEqual([
      ['CVE-2024-2', ['DSA-1-1', 'DSA-2-1'], 'high', '1.0-4'],
      ['CVE-2024-3', ['DSA-2-1'], 'unknown', '1.0-4'],
      ['DEBIAN-CVE-2024-1', ['CVE-2024-1', 'DSA-1-1'], 'medium', '1.0-3'],
    ]);
  });

  it('takes the severity of the distribution before that of an advisory, of a score, of the CVE', async () => {
    const rated = (id: string, source: string, severity: 'low' | 'medium' | 'high' | 'critical') =>
      fixedIn('Debian:12', 'bash', id, '9', { aliases: ['CVE-2024-1'], severity: { severity, source } });
    const rows = [
      rated('A-1', 'cve', 'critical'),
      rated('A-2', 'advisory-cvss', 'high'),
      rated('A-3', 'advisory', 'medium'),
      rated('A-4', 'distro', 'low'),
    ];
    for (const [count, severity] of [
      [4, 'low'],
      [3, 'medium'],
      [2, 'high'],
      [1, 'critical'],
    ] as const) {
      const { findings } = await match([debPackage('bash', '5.2')], debian, rows.slice(0, count));
      expect(findings.map((one) => one.severity)).toEqual([severity]);
    }
  });

  it('says what is known of a fix where none is named', async () => {
    const key = packageKey('npm', 'a');
    const range = (last: object): AdvisoryRow['ranges'] => [
      { type: 'SEMVER', events: [{ introduced: '0' }, last as { lastAffected: string }] },
    ];
    const open: AdvisoryRow = {
      id: 'GHSA-1',
      aliases: [],
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }] }],
    };
    const last: AdvisoryRow = { id: 'GHSA-2', aliases: [], ranges: range({ lastAffected: '2.0.0' }) };
    const never: AdvisoryRow = { ...open, id: 'GHSA-3', fixState: 'wont-fix' };
    const { findings } = await match(
      [npmPackage('a', '1.0.0')],
      undefined,
      [open, last, never].map((row) => ({ key, row })),
    );
    expect(findings.map((one) => one.fixState)).toEqual(['not-fixed', 'unknown', 'wont-fix']);
    expect(findings.every((one) => one.remediation === undefined)).toBe(true);
  });
});

describe('a package that an OS package owns', () => {
  const rows = [
    fixedIn('npm', 'a', 'GHSA-1', '2.0.0'),
    fixedIn('npm', 'a', 'MAL-1', '2.0.0', {
      malicious: true,
      severity: { severity: 'critical', source: 'malicious' },
    }),
  ];

  it('is left to that one’s advisories, malware excepted', async () => {
    const { findings } = await match([npmPackage('a', '1.0.0', 'pkg:deb/debian/node-a@1')], undefined, rows);
    expect(findings.map((one) => [one.id, one.malicious])).toEqual([['MAL-1', true]]);
  });

  it('has all findings where nothing owns it', async () => {
    const { findings } = await match([npmPackage('a', '1.0.0')], undefined, rows);
    expect(findings.map((one) => one.id)).toEqual(['GHSA-1', 'MAL-1']);
  });
});

describe('what a person is told to type', () => {
  it.each(['a; rm -rf /', '$(id)', '-g', "a'b", 'a\nb', 'a b'])(
    'is nothing where the name is %j',
    async (name) => {
      const { findings } = await match([npmPackage(name, '1.0.0')], undefined, [
        fixedIn('npm', name, 'GHSA-1', '2.0.0'),
      ]);
      expect(findings).toHaveLength(1);
      expect(findings[0]?.remediation).toBeUndefined();
    },
  );

  it('names the scope of an npm package', async () => {
    const pkg = npmPackage('@scope/a', '1.0.0');
    const { findings } = await match([pkg], undefined, [fixedIn('npm', '@scope/a', 'GHSA-1', '2.0.0')]);
    expect(findings[0]?.remediation).toBe('npm install @scope/a@2.0.0');
  });
});

describe('the keys of an image', () => {
  it('name its packages and, for each ecosystem, that it is covered', () => {
    const packages = [
      npmPackage('a', '1.0.0'),
      debPackage('x', '1', { name: 'y', version: '1' }),
      debPackage('y', '1'),
    ];
    expect(packageKeysOf({ packages, distro: debian })).toEqual([
      'Debian:12|',
      'Debian:12|y',
      'npm|',
      'npm|a',
    ]);
  });

  it('hold nothing of virtual apk packages, which have no content', () => {
    const packages = [apkPackage('.build-deps', '20240101.120000')];
    expect(packageKeysOf({ packages, distro: { id: 'alpine', versionId: '3.20.0' } })).toEqual([
      'Alpine:v3.20|',
    ]);
  });
});
