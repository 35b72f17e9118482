/** Go's order against golang.org/x/mod/semver. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goOrder } from '../../shared/versions/go.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom, spelledInTurn } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('go order', () => {
  it('answers as golang.org/x/mod/semver does', () => {
    const file = fileURLToPath(new URL('fixtures/go-answers.tsv', import.meta.url));
    expectAgreement(goOrder, readComparisons(file, '\t'));
  });

  it.skipIf(!hasCorpus)(`agrees with every line of the corpus about semver${corpusReason}`, () => {
    expectAgreement(goOrder, readCorpusTable('semver'));
  });

  // golang.org/x/mod v0.20.0, semver; go.dev/ref/mod, "Pseudo-versions"; GoTagToSemver of the vulnerability database
  it.each([
    ['v0.0.0-20190101000000-abcdefabcdef', '<', 'v0.0.0-20200101000000-000000000000'],
    ['v1.2.3', '<', 'v1.2.4-0.20200101000000-abcdefabcdef'],
    ['v1.2.4-0.20200101000000-abcdefabcdef', '<', '1.2.4'],
    ['v1.2.4-pre.0.20200101000000-abcdefabcdef', '>', 'v1.2.4-pre'],
    ['2.0.0+incompatible', '=', 'v2.0.0'],
    ['v1.2.3+dirty', '=', '1.2.3'],
    ['v1', '=', '1.0.0'],
    ['v1.2', '=', '1.2.0'],
    ['go1.22.3', '=', '1.22.3'],
    ['go1.21rc2', '=', '1.21.0-rc.2'],
    ['go1.21rc2', '<', '1.21.0'],
    ['go1.20', '=', '1.20.0'],
    ['go1.9', '<', 'go1.10'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(goOrder, a, b)).toBe(sign);
  });

  it.each([
    '',
    '(devel)',
    'go1.21',
    'go1.22.3 X:boringcrypto',
    'v1.2.3.4',
    'v01.2.3',
    '1.2-rc',
    'go',
    'v',
    '1.2.3-01',
  ])('has no place for %j', (text) => {
    expect(signOf(goOrder, text, '1.0.0')).toBe('?');
    expect(signOf(goOrder, '1.0.0', text)).toBe('?');
  });

  itKeepsTheLawsOfAnOrder(
    goOrder,
    fc.oneof(
      {
        arbitrary: spelledInTurn(
          ['', 'v'],
          ['1.0.0', '1.2.3', '0.0.0', '0.0.1'],
          [
            '',
            '',
            '-rc.1',
            '-pre',
            '-0.20240102030405-abcdef123456',
            '-20240102030405-abcdef123456',
            '-pre.0.20240102030405-abcdef123456',
          ],
          ['', '', '+incompatible', '+dirty'],
        ),
        weight: 4,
      },
      {
        arbitrary: spelledFrom(
          ['1.0.0', '1.2', 'v1', 'v1.0.0', '0.0.0', 'go1.2', 'go1.21'],
          [
            '.0',
            '.1',
            'rc1',
            '-rc.1',
            '-0.20240102030405-abcdef123456',
            '-20240102030405-abcdef123456',
            '+incompatible',
            '+dirty',
            '.10',
          ],
          5,
        ),
        weight: 1,
      },
    ),
  );
});
