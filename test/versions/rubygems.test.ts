/** RubyGems' order against Gem::Version. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rubygemsOrder } from '../../shared/versions/rubygems.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('rubygems order', () => {
  it('answers as Gem::Version does', () => {
    const file = fileURLToPath(new URL('fixtures/rubygems-answers.tsv', import.meta.url));
    expectAgreement(rubygemsOrder, readComparisons(file, '\t'));
  });

  it.skipIf(!hasCorpus)(`agrees with every line of the corpus about rubygems${corpusReason}`, () => {
    expectAgreement(rubygemsOrder, readCorpusTable('rubygems'));
  });

  // Gem::Version of RubyGems 3.3.15
  it.each([
    ['1.0.a', '<', '1.0'],
    ['1.0', '=', '1'],
    ['1.0.0.a', '=', '1.a'],
    ['1.0-1', '=', '1.0.pre.1'],
    ['1.0-1', '<', '1.0'],
    ['1.a.b', '<', '1.a'],
    ['1.a.1', '>', '1.a'],
    ['1.A', '<', '1.a'],
    ['1.10', '>', '1.9'],
    ['1.a10', '>', '1.a9'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(rubygemsOrder, a, b)).toBe(sign);
  });

  it.each(['', '1beta', 'a', '1..0', '1.', '1_0', 'v1', '1+1', '1.0\u00e9', '1-'])(
    'has no place for %j',
    (text) => {
      expect(signOf(rubygemsOrder, text, '1.0')).toBe('?');
      expect(signOf(rubygemsOrder, '1.0', text)).toBe('?');
    },
  );

  itKeepsTheLawsOfAnOrder(
    rubygemsOrder,
    spelledFrom(
      ['0', '1', '10', '2'],
      ['.0', '.0', '.1', '.10', '.a', '.b1', '.rc.2', '-1', '-x', '.B', '1', '.00'],
      5,
    ),
  );
});
