/** NuGet's order against NuGet.Versioning's answers. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nugetOrder } from '../../shared/versions/nuget.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom, spelledInTurn } from './laws.ts';
import { expectAgreement, expectUnivers, readUnivers, signOf } from './tables.ts';

describe('nuget order', () => {
  it.skipIf(!hasCorpus)(`agrees with every line of the corpus about nuget${corpusReason}`, () => {
    expectAgreement(nugetOrder, readCorpusTable('nuget'));
  });

  it.skipIf(!hasCorpus)(`agrees with every line of the corpus about nuget-oracle${corpusReason}`, () => {
    expectAgreement(nugetOrder, readCorpusTable('nuget-oracle'));
  });

  it.skipIf(!hasCorpus)(`agrees with the cases of univers${corpusReason}`, () => {
    const cases = readUnivers('nuget');
    expect(cases.length).toBeGreaterThan(30);
    expectUnivers(nugetOrder, cases);
  });

  it.skipIf(!hasCorpus)(`places exactly what NuGet.Versioning reads${corpusReason}`, () => {
    const rows = readFileSync(`${corpusPath}/versions/nuget-parse.tsv`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('"'))
      .map((line) => line.split('\t'));
    expect(rows.length).toBeGreaterThan(60);
    for (const [json = '', valid] of rows) {
      const text = String(JSON.parse(json));
      expect([text, signOf(nugetOrder, text, text)]).toEqual([text, valid === 'true' ? '=' : '?']);
    }
  });

  // NuGet.Versioning 8.0, in nuget-oracle-versions.txt and nuget-parse.tsv of the corpus
  it.each([
    ['1.0', '=', '1.0.0.0'],
    ['1.0.0.1', '>', '1.0.0'],
    ['1.0-RC', '=', '1.0-rc'],
    ['1.0-rc', '<', '1.0'],
    ['1.0+a', '=', '1.0+b'],
    ['1.0-2', '<', '1.0-b'],
    ['1.0-10', '>', '1.0-9'],
    ['1.0.0-18446744073709551615', '<', '1.0.0-20240101123456'],
    ['1.0.0-Rc.2', '<', '1.0.0-rc1'],
    ['01.0', '=', ' 1.0'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(nugetOrder, a, b)).toBe(sign);
  });

  it.each([
    '',
    'latest',
    'v1.0',
    '1.0.',
    '1.2.3.4.5',
    '2147483648.0',
    '1.0-01',
    '1.0-',
    '1.0+',
    '1.0- a',
    '1.*',
    '1.0-a_b',
    '1..0',
  ])('has no place for %j', (text) => {
    expect(signOf(nugetOrder, text, '1.0')).toBe('?');
    expect(signOf(nugetOrder, '1.0', text)).toBe('?');
  });

  itKeepsTheLawsOfAnOrder(
    nugetOrder,
    fc.oneof(
      {
        arbitrary: spelledInTurn(
          ['1', '1.0', '0', '2.0.0', '01'],
          ['', '.0', '.1', '.10'],
          ['', '', '-a', '-B', '-1', '-rc.1', '-9999999999'],
          ['', '.2', '.-1', '.x'],
          ['', '+x'],
        ),
        weight: 4,
      },
      { arbitrary: spelledFrom(['1', '1.0'], ['.0', '.1', '-a', '-B', '.rc', '+x', ' '], 5), weight: 1 },
    ),
  );
});
