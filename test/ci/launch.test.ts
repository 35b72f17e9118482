import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

/** A repository in small: a lockfile with one package, and a vitest that says how it was called. */
let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'plimsoll-launch-'));
  put('.ci/launch.mjs');
  copyFileSync(inRepository('.ci/launch.mjs'), join(root, '.ci/launch.mjs'));
  put('package-lock.json', lockOf({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/o': optional }));
  put('npm.mjs', npmScript);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const optional = { version: '2.0.0', optional: true };
const npmScript = `import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
mkdirSync('node_modules/vitest', { recursive: true });
cpSync('package-lock.json', 'node_modules/.package-lock.json');
writeFileSync('npm-words', process.argv.slice(2).join(' '));
writeFileSync('node_modules/vitest/vitest.mjs', 'console.log(JSON.stringify(process.argv.slice(2)))');
`;

describe('the launcher', () => {
  it('installs what is missing, then runs the program with its arguments', () => {
    const ran = launch('test', 'test/base', '--bail=1');
    expect(JSON.parse(ran.stdout)).toEqual(['run', '--coverage', 'test/base', '--bail=1']);
    expect(npmWords()).toMatch(/^ci /);
    expect(ran.status).toBe(0);
  });

  it('installs nothing twice, and misses no optional package', () => {
    launch('test');
    rmSync(join(root, 'npm-words'));
    expect(launch('test').status).toBe(0);
    expect(npmWords()).toBeUndefined();
  });

  it('installs again where another version is locked', () => {
    launch('test');
    put('package-lock.json', lockOf({ 'node_modules/a': { version: '1.0.1' } }));
    rmSync(join(root, 'npm-words'));
    launch('test');
    expect(npmWords()).toMatch(/^ci /);
  });

  it('has each program that it names', () => {
    const words =
      launch()
        .stderr.match(/expected one of (.*), found/)?.[1]
        ?.split(', ') ?? [];
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(inRepository('package.json'), 'utf8')));
    expect(words.length).toBeGreaterThan(3);
    expect(words.filter((word) => scripts[word] !== `node .ci/launch.mjs ${word}`)).toEqual([]);
    const programs =
      readFileSync(inRepository('.ci/launch.mjs'), 'utf8').match(/'[\w./-]+\.(ts|mjs)'/g) ?? [];
    expect(programs.length).toBeGreaterThanOrEqual(words.length);
    expect(programs.filter((path) => !existsSync(inRepository(path.slice(1, -1))))).toEqual([]);
  });

  it('ends as the program ends', () => {
    launch('test');
    put('node_modules/vitest/vitest.mjs', 'process.exit(7)');
    expect(launch('test').status).toBe(7);
  });

  it.each([
    ['an unknown word', ['other'], /expected one of start, test, .*, found other$/],
    ['a name of every object', ['constructor'], /found constructor$/],
    ['no word', [], /found nothing$/],
  ])('refuses %s in one line', (_, words, message) => {
    const ran = launch(...words);
    expect(ran.status).toBe(2);
    expect(ran.stderr.trimEnd()).toMatch(message);
    expect(ran.stderr.trimEnd()).not.toContain('\n');
  });

  it('says in its last line where packages can not be installed', () => {
    put('npm.mjs', 'process.exit(1)');
    const ran = launch('test');
    expect([ran.status, ran.stderr.trimEnd().split('\n').at(-1)]).toEqual([
      2,
      'plimsoll: npm ci failed: see its message above, then try again',
    ]);
  });
});

function launch(...words: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [join(root, '.ci/launch.mjs'), ...words], {
    encoding: 'utf8',
    env: { ...process.env, npm_execpath: join(root, 'npm.mjs') },
  });
}

function inRepository(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

function npmWords(): string | undefined {
  const path = join(root, 'npm-words');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function put(path: string, text = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function lockOf(packages: Readonly<Record<string, object>>): string {
  return JSON.stringify({ lockfileVersion: 3, packages: { '': {}, ...packages } });
}
