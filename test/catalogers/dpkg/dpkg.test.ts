/** The dpkg cataloger on a database that dpkg wrote, and on what a hostile image may hold. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { dpkgCataloger } from '../../../shared/catalogers/dpkg/dpkg.ts';
import { itBearsHostileInput } from '../hostile-input.ts';
import { claimsOf } from '../layer-file.ts';

const path = 'var/lib/dpkg/status';

function fixture(name: string): string {
  return readFileSync(fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)), 'utf8');
}

describe('dpkg cataloger: paths', () => {
  it.each(['var/lib/dpkg/status', 'var/lib/dpkg/status.d/base', 'var/lib/dpkg/status.d/bGliYzY'])(
    'wants %s',
    (wanted) => {
      expect(dpkgCataloger.wants(wanted)).toBe(wanted);
    },
  );

  it.each([
    'var/lib/dpkg/status-old',
    'var/lib/dpkg/status.d',
    'var/lib/dpkg/status.d/',
    'var/lib/dpkg/status.d/base.md5sums',
    'var/lib/dpkg/status.d/a/b',
    'opt/var/lib/dpkg/status',
    'var/lib/dpkg/statuses',
  ])('does not want %s', (other) => {
    expect(dpkgCataloger.wants(other)).toBeUndefined();
  });
});

describe('dpkg cataloger: content', () => {
  it('claims what dpkg-query lists, without what is only configuration', async () => {
    const claims = await claimsOf(dpkgCataloger, path, fixture('status'));
    const rows = claims.map((claim) =>
      claim.kind === 'package'
        ? [claim.name, claim.version, claim.architecture, claim.source?.name, claim.source?.version].join(
            '\t',
          )
        : claim,
    );
    const expected = fixture('expected.tsv')
      .trim()
      .split('\n')
      .filter((row) => !row.endsWith('\tconfig-files'))
      .map((row) => row.split('\t').slice(0, 5).join('\t'));
    expect(expected).toHaveLength(5);
    expect(rows.sort()).toEqual(expected.sort());
    expect(claims[0]).toEqual({
      kind: 'package',
      type: 'deb',
      name: 'half-done',
      version: '9.0',
      architecture: 'all',
      source: { name: 'half-done', version: '9.0' },
      evidence: 'installed',
      path,
    });
  });

  it('claims the paragraph of a status.d file, which has no Status', async () => {
    const file = 'var/lib/dpkg/status.d/tzdata';
    const text = 'Package: tzdata\nArchitecture: all\nVersion: 2024a-0+deb12u1\nMaintainer: x';
    expect(await claimsOf(dpkgCataloger, file, text)).toMatchObject([
      { kind: 'package', name: 'tzdata', version: '2024a-0+deb12u1', path: file },
    ]);
  });

  it.each([
    ['install ok installed', 1],
    ['hold ok installed', 1],
    ['deinstall ok installed', 1],
    ['install ok half-installed', 1],
    ['install reinstreq unpacked', 1],
    ['install ok half-configured', 1],
    ['install ok triggers-pending', 1],
    ['deinstall ok config-files', 0],
    ['purge ok not-installed', 0],
    ['unknown ok not-installed', 0],
  ])('Status "%s": %i packages', async (status, count) => {
    const claims = await claimsOf(dpkgCataloger, path, `Package: a\nStatus: ${status}\nVersion: 1\n\n`);
    expect(claims).toHaveLength(count);
  });

  it('reads field names in any case, CRLF and paragraphs with several empty lines between', async () => {
    const text = '\r\n\r\npackage: a\r\nVERSION: 1\r\n\r\n \r\n\r\nPackage: b\r\nVersion: 2\r\n';
    expect(await claimsOf(dpkgCataloger, path, text)).toMatchObject([
      { name: 'a', version: '1' },
      { name: 'b', version: '2' },
    ]);
  });

  it.each([
    [
      'no version',
      'Package: a\nStatus: install ok installed\n',
      'package "a": expected a version, found nothing',
    ],
    ['no name', 'Version: 1\n', 'expected a package name, found nothing'],
    ['a name with a slash', 'Package: ../a\nVersion: 1\n', 'expected a package name, found "../a"'],
    ['a version with a blank', 'Package: a\nVersion: 1 2\n', 'package "a": expected a version, found "1 2"'],
    ['a line without colon', 'Package: a\nVersion: 1\nrubbish\n', 'expected "Field: value", found "rubbish"'],
    [
      'a Status of two words',
      'Package: a\nStatus: install ok\nVersion: 1\n',
      'package "a": expected three words as Status, found "install ok"',
    ],
    [
      'a Source of no form',
      'Package: a\nVersion: 1\nSource: b (\n',
      'package "a": expected Source as "name (version)", found "b ("',
    ],
  ])('says that a file with %s is unreadable and goes on', async (_case, text, detail) => {
    const claims = await claimsOf(dpkgCataloger, path, `${text}\nPackage: next\nVersion: 2\n`);
    expect(claims.at(-1)).toEqual({ kind: 'unreadable', path, detail });
    expect(claims).toContainEqual(expect.objectContaining({ name: 'next', version: '2' }));
  });

  it('counts further faults instead of listing them', async () => {
    const claims = await claimsOf(dpkgCataloger, path, 'x\n'.repeat(1000));
    expect(claims).toEqual([
      {
        kind: 'unreadable',
        path,
        detail: 'expected "Field: value", found "x" (and 1000 more faults in this file)',
      },
    ]);
  });

  it('keeps a package whose state it does not understand', async () => {
    const claims = await claimsOf(dpkgCataloger, path, 'Package: a\nStatus: ?\nVersion: 1\n');
    expect(claims.map((claim) => claim.kind)).toEqual(['package', 'unreadable']);
  });

  it('stops after 100,000 packages and says so', async () => {
    const text = 'Package: a\nVersion: 1\n\n'.repeat(100_010);
    const claims = await claimsOf(dpkgCataloger, path, text, 65_536);
    expect(claims).toHaveLength(100_001);
    expect(claims.at(-1)).toMatchObject({
      kind: 'unreadable',
      detail: 'expected at most 100000 packages, found more',
    });
  });

  it('reads past a line of a megabyte', async () => {
    const text = `Package: a\nDescription: ${'x'.repeat(1_000_000)}\nVersion: 1\n`;
    expect(await claimsOf(dpkgCataloger, path, text, 4096)).toMatchObject([{ name: 'a', version: '1' }]);
  });

  itBearsHostileInput(dpkgCataloger, path, [
    'Package: a',
    'Version: 1:2-3',
    'Source: b (1)',
    'Status: install ok installed',
    ' more',
    ':',
  ]);
});
