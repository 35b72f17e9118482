/** Haskell's order. */
import { describe, expect, it } from 'vitest';
import { hackageOrder } from '../../shared/versions/hackage.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom } from './laws.ts';
import { expectAgreement, signOf } from './tables.ts';

describe('hackage order', () => {
  it.skipIf(!hasCorpus)(`agrees with every line of the corpus about hackage${corpusReason}`, () => {
    expectAgreement(hackageOrder, readCorpusTable('hackage'));
  });

  // Cabal's Distribution.Version: lists of numbers, compared as lists
  it.each([
    ['1.0', '<', '1.0.0'],
    ['1.10', '>', '1.9'],
    ['0.1.26.0', '>', '0'],
    ['2', '>', '1.9.9.9'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(hackageOrder, a, b)).toBe(sign);
  });

  it.each(['', '1.', '1..0', '.1', '01', '1.00', '1-0', '1.0a', '1.0 ', 'v1'])(
    'has no place for %j',
    (text) => {
      expect(signOf(hackageOrder, text, '1.0')).toBe('?');
      expect(signOf(hackageOrder, '1.0', text)).toBe('?');
    },
  );

  itKeepsTheLawsOfAnOrder(hackageOrder, spelledFrom(['0', '1', '10'], ['.0', '.1', '.10', '.2', '1'], 5));
});
