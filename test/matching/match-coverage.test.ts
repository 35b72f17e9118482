import { describe, expect, it } from 'vitest';
import { emptyIndex } from '../../shared/advisories/empty-index.ts';
import type { Distro } from '../../shared/domain/package.ts';
import { matchPackages } from '../../shared/matching/match.ts';
import { debian, debPackage, fixedIn, match, npmPackage } from './advised-packages.ts';

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
    expect(issues.map((one) => one.code)).toEqual(['NO_DISTRO_PACKAGES', 'UNKNOWN_DISTRO']);
  });

  it('is a known distribution none of whose packages is there, as after its database was removed', async () => {
    const rows = [fixedIn('Debian:12', 'bash', 'DSA-1-1', '6'), fixedIn('npm', 'b', 'GHSA-1', '1.0.0')];
    expect((await match([npmPackage('a', '1.0.0')], debian, rows)).issues).toEqual([
      { code: 'NO_DISTRO_PACKAGES', detail: expect.stringMatching(/Debian.* type deb/i) },
    ]);
    expect((await match([debPackage('dash', '1')], debian, rows)).issues).toEqual([]);
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
      'NO_DISTRO_PACKAGES',
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
