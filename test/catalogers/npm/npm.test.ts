/** The npm cataloger: which package.json proves an installed package, and what it claims. */
import { describe, expect, it } from 'vitest';
import { npmCataloger } from '../../../shared/catalogers/npm/npm.ts';
import { itBearsHostileInput } from '../hostile-input.ts';
import { claimsOf } from '../layer-file.ts';

const path = 'opt/app/node_modules/lodash/package.json';

describe('npm cataloger: paths', () => {
  it.each([
    'node_modules/lodash/package.json',
    'opt/app/node_modules/lodash/package.json',
    'opt/app/node_modules/@babel/core/package.json',
    'opt/app/node_modules/a/node_modules/b/package.json',
    'opt/app/node_modules/@s/a/node_modules/@t/b/package.json',
    'usr/local/lib/node_modules/npm/node_modules/tar/package.json',
    'opt/app/node_modules/.pnpm/lodash@4.17.21/node_modules/lodash/package.json',
    'usr/share/node_modules/which/package.json',
  ])('wants %s', (wanted) => {
    expect(npmCataloger.wants(wanted)).toBe(wanted);
  });

  it.each([
    'package.json',
    'opt/app/package.json',
    'opt/app/node_modules/package.json',
    'opt/app/node_modules/.package-lock.json',
    'opt/app/node_modules/.cache/package.json',
    'opt/app/node_modules/@babel/package.json',
    'opt/app/node_modules/lodash/fp/package.json',
    'opt/app/node_modules/@babel/core/lib/package.json',
    'opt/app/old_node_modules/lodash/package.json',
    'opt/app/node_modules/lodash/package.json.bak',
    'opt/app/node_modules/lodash/xpackage.json',
  ])('does not want %s', (other) => {
    expect(npmCataloger.wants(other)).toBeUndefined();
  });
});

describe('npm cataloger: content', () => {
  it('claims name, version and licence', async () => {
    const text = JSON.stringify({ name: 'lodash', version: '4.17.21', license: 'MIT', main: 'lodash.js' });
    expect(await claimsOf(npmCataloger, path, text)).toEqual([
      {
        kind: 'package',
        type: 'npm',
        name: 'lodash',
        version: '4.17.21',
        licenses: ['MIT'],
        evidence: 'installed',
        path,
      },
    ]);
  });

  it('believes the field, not the directory, which may be an alias', async () => {
    const text = '{"name":"@scope/real","version":"1.0.0"}';
    expect(await claimsOf(npmCataloger, path, text)).toMatchObject([{ name: '@scope/real' }]);
  });

  it.each([
    ['opt/app/node_modules/lodash/package.json', 'lodash'],
    ['opt/app/node_modules/@s/n/package.json', '@s/n'],
  ])('names a package without name by its directory: %s', async (where, name) => {
    expect(await claimsOf(npmCataloger, where, '{"version":"1.0.0"}')).toMatchObject([{ name }]);
  });

  it.each(['{}', '{"name":"x"}', '{"type":"module"}', '{"name":"x","version":""}'])(
    'claims nothing of %s',
    async (text) => {
      expect(await claimsOf(npmCataloger, path, text)).toEqual([]);
    },
  );

  it('reads a byte order mark and old forms of licences', async () => {
    const text =
      '\ufeff{"name":"a","version":"1.0.0","licenses":[{"type":"MIT","url":"x"},{"type":"BSD"},7]}';
    expect(await claimsOf(npmCataloger, path, text)).toMatchObject([{ licenses: ['MIT', 'BSD'] }]);
  });

  it.each([
    ['', 'expected JSON'],
    ['{"name":', 'expected JSON'],
    ['[]', 'expected a package.json'],
    ['null', 'expected a package.json'],
    ['{"name":7,"version":"1.0.0"}', 'found name'],
    ['{"name":"a","version":{"x":1}}', 'found version'],
    ['{"name":"a b","version":"1.0.0"}', 'expected a package name'],
    ['{"name":"../../a","version":"1.0.0"}', 'expected a package name'],
    ['{"name":"a","version":"1.0.0\\n"}', 'expected a version'],
    [JSON.stringify({ name: 'a'.repeat(300), version: '1.0.0' }), 'found name'],
    [JSON.stringify({ name: 'a', version: '1'.repeat(600) }), 'found version'],
  ])('says that %j is unreadable', async (text, detail) => {
    expect(await claimsOf(npmCataloger, path, text)).toEqual([
      { kind: 'unreadable', path, detail: expect.stringContaining(detail) },
    ]);
  });

  it('takes nothing from a prototype', async () => {
    const text = '{"__proto__":{"name":"evil","version":"6.6.6"}}';
    expect(await claimsOf(npmCataloger, path, text)).toEqual([]);
  });

  it('bears a megabyte of open brackets', async () => {
    expect(await claimsOf(npmCataloger, path, '['.repeat(1_000_000), 65_536)).toMatchObject([
      { kind: 'unreadable' },
    ]);
    const nested = `{"name":"a","version":"1.0.0","x":${'['.repeat(500_000)}${']'.repeat(500_000)}}`;
    expect(await claimsOf(npmCataloger, path, nested, 65_536)).toMatchObject([
      { kind: 'unreadable', detail: expect.stringContaining('more than 200 levels') },
    ]);
  });

  it('parses no file that is small and would be large once it is parsed', async () => {
    const bomb = `{"name":"a","version":"1.0.0","x":[${Array(1_000_000).fill('[]').join()}]}`;
    expect(await claimsOf(npmCataloger, path, bomb, 65_536)).toMatchObject([
      { kind: 'unreadable', detail: expect.stringContaining('more than 100000 values') },
    ]);
  });

  itBearsHostileInput(npmCataloger, path, ['{', '}', '"name":', '"version":', '"a"', '"1.0.0"', ',', 'null']);
});
