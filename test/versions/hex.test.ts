/** Hex' order against Elixir. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexOrder } from '../../shared/versions/hex.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom, spelledInTurn } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('hex order', () => {
  it('answers as Version of Elixir does', () => {
    const file = fileURLToPath(new URL('fixtures/hex-answers.tsv', import.meta.url));
    expectAgreement(hexOrder, readComparisons(file, '\t'));
  });

  // semver.org, section 11; Version.compare of Elixir 1.14
  it.each([
    ['1.0.0-alpha', '<', '1.0.0-alpha.1'],
    ['1.0.0-alpha.1', '<', '1.0.0-alpha.beta'],
    ['1.0.0-alpha.beta', '<', '1.0.0-beta'],
    ['1.0.0-beta.2', '<', '1.0.0-beta.11'],
    ['1.0.0-rc.1', '<', '1.0.0'],
    ['1.10.0', '>', '1.9.0'],
    ['1.0.0+a', '=', '1.0.0+b'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(hexOrder, a, b)).toBe(sign);
  });

  it.each(['', 'v1.0.0', '1.0', '1', '1.0.0.0', '01.0.0', '1.0.0-01', '1.0.0-', '1.0.0+', '1.0.0 '])(
    'has no place for %j',
    (text) => {
      expect(signOf(hexOrder, text, '1.0.0')).toBe('?');
      expect(signOf(hexOrder, '1.0.0', text)).toBe('?');
    },
  );

  itKeepsTheLawsOfAnOrder(
    hexOrder,
    fc.oneof(
      {
        arbitrary: spelledInTurn(
          ['1.0.0', '1.2.3', '0.0.1', '10.0.0'],
          ['', '', '-a', '-rc.1', '-1', '-a.b', '-rc.10'],
          ['', '+b'],
        ),
        weight: 4,
      },
      {
        arbitrary: spelledFrom(
          ['1.0.0', '1.2.3', '0.0.1', 'v1.0.0', '1.0.0-a', '10.0.0-rc'],
          ['.1', '.a', '.10', '-1', '-rc', '+b', '+1', '.0', '.B', '.01'],
          5,
        ),
        weight: 1,
      },
    ),
  );
});
