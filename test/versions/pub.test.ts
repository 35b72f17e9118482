/** The order of Dart's packages. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pubOrder } from '../../shared/versions/pub.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom, spelledInTurn } from './laws.ts';
import { expectAgreement, signOf } from './tables.ts';

describe('pub order', () => {
  it.skipIf(!hasCorpus)(`agrees with every line of the corpus' pub${corpusReason}`, () => {
    expectAgreement(pubOrder, readCorpusTable('pub'));
  });

  // pub_semver, documented at pub.dev; the tool could not be run here
  it.each([
    ['1.0.0-alpha', '<', '1.0.0-alpha.1'],
    ['1.0.0-alpha.1', '<', '1.0.0-alpha.beta'],
    ['1.0.0-alpha.beta', '<', '1.0.0-beta'],
    ['1.0.0-beta.2', '<', '1.0.0-beta.11'],
    ['1.0.0-rc.1', '<', '1.0.0'],
    ['1.10.0', '>', '1.9.0'],
    ['1.0.0', '<', '1.0.0+1'],
    ['1.0.0+9', '<', '1.0.0+10'],
    ['1.0.0+1', '<', '1.0.0+a'],
    ['1.0.0-a', '<', '1.0.0-a+1'],
    ['1.0.0-a+1', '<', '1.0.0'],
    ['1.0.0+1', '<', '1.0.0+1.1'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(pubOrder, a, b)).toBe(sign);
  });

  it.each([
    '',
    'latest',
    '1.0.0-',
    '1.0.0+',
    '1.0.0-a.-5',
    '1.0.0+0x1f',
    '1.0 ',
    '1.2-rc',
    '1.0.0-a..b',
    '^1.0.0',
  ])('has no place for %j', (text) => {
    expect(signOf(pubOrder, text, '1.0.0')).toBe('?');
    expect(signOf(pubOrder, '1.0.0', text)).toBe('?');
  });

  itKeepsTheLawsOfAnOrder(
    pubOrder,
    fc.oneof(
      {
        arbitrary: spelledInTurn(
          ['', 'v'],
          ['1.0.0', '1.2.3', '0.0.1', '01.0.0'],
          ['', '', '-a', '-rc.1', '-1', '-01', '-a.b'],
          ['', '', '+b', '+1', '+1.a', '+a1'],
        ),
        weight: 4,
      },
      {
        arbitrary: spelledFrom(
          ['1', '1.0', '1.0.0', 'v1.0.0-a'],
          ['.1', '.a', '-1', '-rc', '+b', '+1', '.-5'],
          5,
        ),
        weight: 1,
      },
    ),
  );
});
