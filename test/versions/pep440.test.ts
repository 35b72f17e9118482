/** Python's order against packaging. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pep440Order } from '../../shared/versions/pep440.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom, spelledInTurn } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('pep440 order', () => {
  it('answers as packaging does', () => {
    const file = fileURLToPath(new URL('fixtures/pep440-answers.tsv', import.meta.url));
    expectAgreement(pep440Order, readComparisons(file, '\t'));
  });

  it.skipIf(!hasCorpus)(`agrees with every line of the corpus about pypi${corpusReason}`, () => {
    expectAgreement(pep440Order, readCorpusTable('pypi'));
  });

  // packaging.python.org, Version specifiers, "Summary of permitted suffixes and relative ordering"; packaging 26.3
  it.each([
    ['1.0.dev1', '<', '1.0a1.dev1'],
    ['1.0a1.dev1', '<', '1.0a1'],
    ['1.0a1', '<', '1.0a1.post1.dev1'],
    ['1.0a1.post1.dev1', '<', '1.0a1.post1'],
    ['1.0a1', '<', '1.0b1'],
    ['1.0rc1', '<', '1.0'],
    ['1.0', '<', '1.0.post1.dev1'],
    ['1.0.post1', '<', '1.1.dev0'],
    ['1.0', '=', '1.0.0'],
    ['1.0-1', '=', '1.0.post1'],
    ['1.0c1', '=', '1.0rc1'],
    ['1.0.alpha', '=', '1a0'],
    ['v1.0', '=', ' 1.0\n'],
    ['1.0+abc', '>', '1.0'],
    ['1.0+1', '>', '1.0+abc'],
    ['1.0+a-b', '=', '1.0+a.b'],
    ['1!0', '>', '2'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(pep440Order, a, b)).toBe(sign);
  });

  it.each([
    '',
    'latest',
    '1.0-ivysaur',
    '1.0.',
    '1..0',
    '1.0+',
    '1.0+a..b',
    '1.0-1-2',
    '1.0 a',
    'x1',
    '1!',
    '1.0.x',
    '1.*',
  ])('has no place for %j', (text) => {
    expect(signOf(pep440Order, text, '1.0')).toBe('?');
    expect(signOf(pep440Order, '1.0', text)).toBe('?');
  });

  itKeepsTheLawsOfAnOrder(
    pep440Order,
    fc.oneof(
      {
        arbitrary: spelledInTurn(
          ['', 'v', '1!'],
          ['1', '2', '0'],
          ['', '.0', '.1', '.10'],
          ['', '.0'],
          ['', '', 'a1', 'b', '.rc2', '-c1'],
          ['', '', '.post1', '-1', 'r'],
          ['', '', '.dev', '.dev1'],
          ['', '', '+a', '+1.b', '+a-1'],
        ),
        weight: 4,
      },
      {
        arbitrary: spelledFrom(
          ['1', '1.0', 'v1', '1!0', '2', '0'],
          ['.0', '.1', '.10', 'a1', 'b', 'rc2', '.c', '.post1', '-1', '.dev', '.dev1', '+a', '.b', '+1'],
          5,
        ),
        weight: 1,
      },
    ),
  );
});
