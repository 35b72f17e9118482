/** The registry of version orders against the folder and the ecosystems. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ecosystems } from '../../shared/domain/ecosystems.ts';
import {
  orderedEcosystems,
  orderOfEcosystem,
  versionOrder,
  versionOrders,
} from '../../shared/versions/registry.ts';

describe('registry of version orders', () => {
  it('names exactly the files of the folder', () => {
    const folder = fileURLToPath(new URL('../../shared/versions', import.meta.url));
    const members = readdirSync(folder)
      .filter((file) => file !== 'contract.ts' && file !== 'registry.ts')
      .map((file) => file.replace(/\.ts$/, ''));
    expect(members.length).toBeGreaterThan(0);
    expect(versionOrders.map((order) => order.name).sort()).toEqual(members.sort());
  });

  it('has a test file for every order', () => {
    const tests = readdirSync(fileURLToPath(new URL('.', import.meta.url)));
    expect(
      versionOrders.map((order) => `${order.name}.test.ts`).filter((file) => !tests.includes(file)),
    ).toEqual([]);
  });

  it('is what docs/versions.md says, order by order', () => {
    const text = readFileSync(new URL('../../docs/versions.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| ([a-z0-9]+) \| ([^|]+) \|/gm)]
      .map(([, name = '', names = '']) => ({ name, ecosystems: names.trim().split(', ') }))
      .filter(({ name }) => name !== 'order');
    expect(rows.map(({ name }) => name)).toEqual(versionOrders.map((order) => order.name).sort());
    for (const row of rows) {
      for (const ecosystem of row.ecosystems) {
        expect([ecosystem, orderOfEcosystem(ecosystem)?.name]).toEqual([ecosystem, row.name]);
      }
    }
    expect(rows.flatMap((row) => row.ecosystems).sort()).toEqual(orderedEcosystems());
  });

  it('has the order of every package format', () => {
    expect(ecosystems.length).toBeGreaterThan(0);
    for (const { versionOrder: name } of ecosystems) expect(versionOrder(name).name).toBe(name);
    expect(() => versionOrder('toString')).toThrow(RangeError);
  });

  it.each([
    ['Debian', 'deb'],
    ['Debian:12', 'deb'],
    ['Ubuntu:Pro:22.04:LTS', 'deb'],
    ['Alpine:v3.20', 'apk'],
    ['Wolfi', 'apk'],
    ['Chainguard', 'apk'],
    ['npm', 'semver'],
    ['crates.io', 'semver'],
    ['Go', 'go'],
    ['Hex', 'hex'],
    ['Red Hat:enterprise_linux:9::appstream', 'rpm'],
    ['AlmaLinux:9', 'rpm'],
    ['Rocky Linux:9', 'rpm'],
    ['SUSE:Linux Enterprise Server 15 SP5', 'rpm'],
    ['openSUSE:Leap 15.6', 'rpm'],
    ['Azure Linux:3', 'rpm'],
    ['Mageia:9', 'rpm'],
    ['openEuler:22.03-LTS-SP3', 'rpm'],
    ['Photon OS:5.0', 'rpm'],
    ['Arch Linux', 'pacman'],
    ['Gentoo', 'portage'],
    ['PyPI', 'pep440'],
    ['Maven:https://repo1.maven.org/maven2', 'maven'],
    ['RubyGems', 'rubygems'],
    ['NuGet', 'nuget'],
    ['Packagist:https://packages.drupal.org/8', 'packagist'],
    ['Pub', 'pub'],
    ['CRAN', 'cran'],
    ['Bioconductor', 'cran'],
    ['Hackage', 'hackage'],
    ['GHC', 'hackage'],
    ['Conda', 'conda'],
  ])('orders %s as %s', (ecosystem, name) => {
    expect(orderOfEcosystem(ecosystem)?.name).toBe(name);
  });

  it.each(['ConanCenter', 'opam', 'debian', '', ':12', '__proto__', 'constructor'])(
    'knows no order for %j',
    (ecosystem) => {
      expect(orderOfEcosystem(ecosystem)).toBeUndefined();
      expect(orderedEcosystems()).not.toContain(ecosystem);
    },
  );
});
