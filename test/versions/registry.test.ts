/** The registry of version orders against the folder and the ecosystems. */
import { readdirSync } from 'node:fs';
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
    ['Go', 'semver'],
    ['Hex', 'semver'],
  ])('orders %s as %s', (ecosystem, name) => {
    expect(orderOfEcosystem(ecosystem)?.name).toBe(name);
  });

  it.each(['PyPI', 'Red Hat', 'debian', '', ':12', '__proto__', 'constructor'])(
    'knows no order for %j',
    (ecosystem) => {
      expect(orderOfEcosystem(ecosystem)).toBeUndefined();
      expect(orderedEcosystems()).not.toContain(ecosystem);
    },
  );
});
