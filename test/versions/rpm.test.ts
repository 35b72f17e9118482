/** rpm's order against librpm. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rpmOrder } from '../../shared/versions/rpm.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('rpm order', () => {
  it('answers as rpmverCmp of librpm does', () => {
    const file = fileURLToPath(new URL('fixtures/rpm-answers.tsv', import.meta.url));
    expectAgreement(rpmOrder, readComparisons(file, '\t'));
  });

  it.skipIf(!hasCorpus)(`agrees with every line of the corpus about redhat${corpusReason}`, () => {
    expectAgreement(rpmOrder, readCorpusTable('redhat'));
  });

  // rpm-version(7) and rpmverCmp of rpm 4.18.0
  it.each([
    ['1.0~rc1', '<', '1.0'],
    ['1.0', '<', '1.0^git1'],
    ['1.0^git1', '<', '1.0.1'],
    ['2_0', '=', '2.0'],
    ['1.0', '<', '1.0a'],
    ['1.a', '<', '1.1'],
    ['1', '<', '0:1-1'],
    ['0:1-1', '=', '1-1'],
    ['1:1', '>', '2'],
    ['1.00', '=', '1.0'],
    ['18446744073709551617', '>', '18446744073709551616'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(rpmOrder, a, b)).toBe(sign);
  });

  it.each(['', ' ', '1.0 ', '1 0', '1\n', '1\u0000'])('has no place for %j', (text) => {
    expect(signOf(rpmOrder, text, '1.0')).toBe('?');
    expect(signOf(rpmOrder, '1.0', text)).toBe('?');
  });

  itKeepsTheLawsOfAnOrder(
    rpmOrder,
    spelledFrom(
      ['1', '0:1', '1:0', '10', 'a', ''],
      ['.', '.', '0', '1', '07', 'a', 'B', 'rc', '~', '^', '_', '+', '-', '-1'],
      5,
    ),
  );
});
