/** The order of R's packages against utils::compareVersion. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cranOrder } from '../../shared/versions/cran.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('cran order', () => {
  it('answers as compareVersion of R does', () => {
    const file = fileURLToPath(new URL('fixtures/cran-answers.tsv', import.meta.url));
    expectAgreement(cranOrder, readComparisons(file, '\t'));
  });

  it.skipIf(!hasCorpus)(`agrees with every line of the corpus about cran${corpusReason}`, () => {
    expectAgreement(cranOrder, readCorpusTable('cran'));
  });

  // ?compareVersion and ?numeric_version of R 4.2.2
  it.each([
    ['1.0', '<', '1.0.0'],
    ['0.9', '<', '0.75'],
    ['1.0-1', '=', '1.0.1'],
    ['1.01', '=', '1.1'],
    ['1.10', '>', '1.9'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(cranOrder, a, b)).toBe(sign);
  });

  it.each(['', '1.', '1..0', '.1', 'a', '1.0a', '1.0_1', '1.0 ', '1--1', 'v1'])(
    'has no place for %j',
    (text) => {
      expect(signOf(cranOrder, text, '1.0')).toBe('?');
      expect(signOf(cranOrder, '1.0', text)).toBe('?');
    },
  );

  itKeepsTheLawsOfAnOrder(
    cranOrder,
    spelledFrom(['0', '1', '10', '01'], ['.0', '-0', '.1', '-1', '.10', '-07', '2'], 5),
  );
});
