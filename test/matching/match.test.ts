import { describe, expect, it } from 'vitest';
import { type AdvisoryRow, packageKey } from '../../shared/domain/advisory.ts';
import type { Distro } from '../../shared/domain/package.ts';
import { ecosystemsOf, packageKeysOf } from '../../shared/matching/match.ts';
import { apkPackage, debian, debPackage, fixedIn, match, npmPackage } from './advised-packages.ts';

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

describe('many advisories about one vulnerability', () => {
  // With the square of their number this takes half a minute, far past the limit of a test.
  it('are grouped in time that grows with their number', async () => {
    const rows = Array.from({ length: 50_000 }, (_, index) =>
      fixedIn('npm', 'a', `GHSA-${index}`, '2.0.0', { aliases: ['CVE-2020-1111'] }),
    );
    const { findings } = await match([npmPackage('a', '1.0.0')], undefined, rows);
    expect(findings).toHaveLength(1);
  });
});
