import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memberOf } from './import-rules.ts';
import { listFiles, parseSource, readSourceFiles, repositoryPath } from './source-files.ts';

/** Longest file in lines; style.md leaves data tables and fixtures aside. */
const maxLines = 400;

/** Tables of data in the form of code, each with its reason. */
const dataTables: ReadonlySet<string> = new Set([]);

/** Words that say nothing about what a file holds. */
const emptyWords = /(^|[-/.])(utils?|helpers?|common|managers?|misc)([-/.]|$)/;

/** Who reads the environment: one file per program. */
const environmentReaders = [
  'functions/_app.ts',
  'shared/cli/io.ts',
  // Hands the environment on to the processes that it starts.
  'shared/local/emulators/child-process.ts',
  // A process of its own.
  'shared/local/emulators/identity-and-vault.ts',
  // Gives the app, which runs in this process, the settings that it has on Azure.
  'shared/local/machine.ts',
  'shared/local/start.ts',
];

const product = readSourceFiles(['shared', 'functions']);
const files = [...product, ...readSourceFiles(['test', 'bench'])];

describe('the source files', () => {
  it('are really read', () => {
    expect(product.length).toBeGreaterThan(20);
    expect(files.length).toBeGreaterThan(product.length);
  });

  it(`have at most ${maxLines} lines`, () => {
    const long = files.filter((file) => !dataTables.has(file.path) && countLines(file.text) > maxLines);
    expect(long.map((file) => `${file.path}: ${countLines(file.text)}`)).toEqual([]);
  });

  it('are named in kebab-case for what they hold', () => {
    const names = /^_?[a-z0-9]+(-[a-z0-9]+)*(\.(test|contract))?\.ts$/;
    expect(pathsOf((file) => !names.test(file.path.split('/').at(-1) ?? ''))).toEqual([]);
    expect(pathsOf((file) => emptyWords.test(file.path))).toEqual([]);
  });

  it('begin with a sentence on what they are for', () => {
    const rooms = files.filter((file) => !file.path.endsWith('.test.ts'));
    const opening = /^(#![^\n]*\n)?\/\*\*?\s*(\*\s*)?[^\s*][^]*?\*\//;
    expect(rooms.filter((file) => !opening.test(file.text)).map((file) => file.path)).toEqual([]);
  });

  it('export by name', () => {
    expect(pathsOf((file) => file.hasDefaultExport)).toEqual([]);
  });

  it('do more than hand on what others export', () => {
    expect(pathsOf((file) => file.isBarrel)).toEqual([]);
  });

  it('read the environment in one place per program', () => {
    const readers = product.filter((file) => file.readsEnvironment).map((file) => file.path);
    expect(readers.length).toBeGreaterThan(0);
    expect(readers.filter((path) => !environmentReaders.includes(path))).toEqual([]);
  });

  it('silence no checker', () => {
    const marks = new RegExp(`@ts-(${['ignore', 'nocheck', 'expect-error'].join('|')})`);
    expect(pathsOf((file) => marks.test(file.text))).toEqual([]);
    // A test may hand over what no caller could; the product may not.
    expect(product.filter((file) => file.text.includes('as unknown as')).map((file) => file.path)).toEqual(
      [],
    );
  });

  it('have a folder of tests for each package format', () => {
    const members = new Set(product.flatMap((file) => memberOf(file.path) ?? []));
    const formats = [...members].filter((member) => member.startsWith('catalogers/'));
    const tests = listFiles('test').filter((path) => path.endsWith('.test.ts'));
    expect(formats.length).toBeGreaterThan(0);
    expect(formats.filter((format) => !tests.some((path) => path.startsWith(`test/${format}/`)))).toEqual([]);
  });
});

describe('the repository', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: repositoryPath, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '');

  it('has the top level that was asked for', () => {
    const folders = new Set(tracked.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));
    const asked = ['.ci', 'bench', 'docs', 'functions', 'infra', 'shared', 'test', '.github'];
    expect([...folders].filter((name) => !asked.includes(name ?? ''))).toEqual([]);
    const loose = tracked.filter((path) => !path.includes('/') && !path.startsWith('.'));
    const files = [
      'CHANGELOG.md',
      'LICENSE',
      'NOTICE',
      'README.md',
      'azure.yaml',
      'biome.json',
      'host.json',
      'knip.json',
      'package-lock.json',
      'package.json',
      'tsconfig.json',
      'vitest.config.ts',
    ];
    expect(loose.filter((path) => !files.includes(path))).toEqual([]);
  });

  it('names no folder of the machine that it was written on', () => {
    const leak = new RegExp(`(?<![\\w.])/(${['work', 'tmp/bash'].join('|')})/`);
    const texts = tracked.filter((path) => /\.(ts|mjs|md|json|bicep|yaml|yml|sh)$|^\.ci\/run$/.test(path));
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.filter((path) => leak.test(readTracked(path)))).toEqual([]);
  });
});

describe('the reading of a source file', () => {
  it('sees what it must not have', () => {
    expect(parseSource('a.ts', 'export default 1;').hasDefaultExport).toBe(true);
    expect(parseSource('a.ts', "export * from './b.ts';\nexport { c } from './c.ts';").isBarrel).toBe(true);
    expect(parseSource('a.ts', "const a = process.env['A'];").readsEnvironment).toBe(true);
    expect(parseSource('a.ts', 'const { env } = process;').readsEnvironment).toBe(true);
    expect(parseSource('a.ts', "import { env } from 'node:process';").readsEnvironment).toBe(true);
  });
});

function pathsOf(is: (file: (typeof files)[number]) => boolean): readonly string[] {
  return files.filter(is).map((file) => file.path);
}

function countLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** A tracked file may be deleted in a working copy. */
function readTracked(path: string): string {
  try {
    return readFileSync(join(repositoryPath, path), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return '';
    }
    throw error;
  }
}
