/** One more package format is a folder, a row in registry.ts, a row in domain/ecosystems.ts and a test folder: this names
 *  whichever is missing. */
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { catalogers } from '../../shared/catalogers/registry.ts';
import { ecosystems } from '../../shared/domain/ecosystems.ts';

/** Catalogers that claim no packages, so that no package format names them. */
const withoutPackages: ReadonlyMap<string, string> = new Map([
  ['os-release', 'names the distribution alone'],
]);

const folder = fileURLToPath(new URL('../../shared/catalogers', import.meta.url));
const testFolder = fileURLToPath(new URL('.', import.meta.url));
const members = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const registered = catalogers.map((cataloger) => cataloger.name);
const ofFormats = ecosystems.flatMap((ecosystem) => ecosystem.catalogers);

describe('registry of catalogers', () => {
  it('walks a folder that has members', () => {
    expect(members.length).toBeGreaterThan(3);
  });

  it('holds nothing but contract, registry and members', () => {
    const files = readdirSync(folder).filter((name) => !members.includes(name));
    expect(files.sort()).toEqual(['contract.ts', 'registry.ts']);
  });

  it.each(members)('%s has its row in registry.ts', (member) => {
    expect(registered).toContain(member);
  });

  it.each(members)('%s has its row in domain/ecosystems.ts, or a reason for none', (member) => {
    expect(ofFormats.includes(member)).toBe(!withoutPackages.has(member));
  });

  it.each(members)('%s has its folder of tests', (member) => {
    expect(existsSync(`${testFolder}/${member}/${member}.test.ts`)).toBe(true);
  });

  it('registers no cataloger twice and none without folder', () => {
    expect([...registered].sort()).toEqual([...members].sort());
  });

  it('has a folder for every cataloger that a package format names', () => {
    expect(ofFormats.filter((name) => !members.includes(name))).toEqual([]);
  });

  it('gives every cataloger a version and a limit', () => {
    for (const { version, maxFileBytes } of catalogers) {
      expect(Number.isInteger(version) && version >= 1).toBe(true);
      expect(maxFileBytes).toBeGreaterThan(0);
    }
  });
});
