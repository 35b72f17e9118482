/** Packagist's order against composer/semver and PHP. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packagistOrder } from '../../shared/versions/packagist.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom, spelledInTurn } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('packagist order', () => {
  it('answers as composer/semver does', () => {
    const file = fileURLToPath(new URL('fixtures/packagist-answers.tsv', import.meta.url));
    expectAgreement(packagistOrder, readComparisons(file, '\t'));
  });

  it.skipIf(!hasCorpus)(`agrees with every line of the corpus about packagist${corpusReason}`, () => {
    expectAgreement(packagistOrder, readCorpusTable('packagist'));
  });

  it('orders no two named branches', () => {
    expect(signOf(packagistOrder, 'dev-a', 'dev-b')).toBe('?');
    expect(signOf(packagistOrder, 'dev-a', 'dev-a')).toBe('=');
    expect(signOf(packagistOrder, 'dev-a', 'dev-A')).toBe('?');
  });

  // composer/semver 3.3.2 (VersionParser::normalize, then Comparator) on PHP 8.2
  it.each([
    ['1.0', '=', '1.0.0.0'],
    ['1.0-dev', '<', '1.0-alpha'],
    ['1.0-alpha', '<', '1.0-beta'],
    ['1.0-beta', '<', '1.0-RC'],
    ['1.0-RC', '<', '1.0'],
    ['1.0', '<', '1.0-p1'],
    ['1.0-stable', '=', '1.0'],
    ['1.0+build', '=', '1.0'],
    ['V1.0', '=', 'v1.0'],
    ['1.x-dev', '>', '1.999'],
    ['dev-main', '<', '0.0.1'],
    ['master', '=', 'dev-master'],
    ['2010-01-02', '<', '2010-01-03'],
    ['1.0a2', '<', '1.0a10'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(packagistOrder, a, b)).toBe(sign);
  });

  it.each([
    '',
    '1.0.0.0.0',
    '1.2.3.#',
    '1.0-foo',
    '1.0 ',
    'latest',
    '1.0-2RC1',
    '12345678901234567890123',
    '1.0 as 2.0',
    '1.0\n',
  ])('has no place for %j', (text) => {
    expect(signOf(packagistOrder, text, '1.0')).toBe('?');
    expect(signOf(packagistOrder, '1.0', text)).toBe('?');
  });

  itKeepsTheLawsOfAnOrder(
    packagistOrder,
    fc.oneof(
      {
        arbitrary: spelledInTurn(
          ['', 'v', 'V'],
          ['1', '2', '2010-01-02', '1.0'],
          ['', '.0', '.1', '.10'],
          ['', '', '-alpha1', 'b2', '-RC', '.pl1', '-patch.2', '-stable'],
          ['', '', '-dev', '.x-dev'],
          ['', '+b'],
        ),
        weight: 4,
      },
      {
        arbitrary: spelledFrom(
          ['1', '1.0', 'v2', '0', '2010-01-02', 'dev-a', '20100102'],
          ['.0', '.1', '.10', '-dev', 'a1', '-beta', 'RC', '-p1', 'pl', '.x-dev', '-stable', '+b', '.2'],
          5,
        ),
        weight: 1,
      },
    ),
  );
});
