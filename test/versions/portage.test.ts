/** Gentoo's order against Portage. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portageOrder } from '../../shared/versions/portage.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom, spelledInTurn } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('portage order', () => {
  it('answers as vercmp of Portage does', () => {
    const file = fileURLToPath(new URL('fixtures/portage-answers.tsv', import.meta.url));
    expectAgreement(portageOrder, readComparisons(file, '\t'));
  });

  // Package Manager Specification, section 3.3; portage.versions.vercmp of Portage 3.0.83
  it.each([
    ['1.0_alpha', '<', '1.0_beta'],
    ['1.0_beta', '<', '1.0_pre'],
    ['1.0_pre', '<', '1.0_rc'],
    ['1.0_rc', '<', '1.0'],
    ['1.0', '<', '1.0_p'],
    ['1.0_p', '=', '1.0_p0'],
    ['1.0', '<', '1.0.0'],
    ['1.0a', '<', '1.0b'],
    ['12.2b', '<', '12.2.5'],
    ['1.05', '<', '1.1'],
    ['1.1', '=', '1.1-r0'],
    ['1.1-r1', '<', '1.1-r10'],
    ['1.010', '=', '1.01'],
    ['1.0_rc1_p1', '>', '1.0_rc1'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(portageOrder, a, b)).toBe(sign);
  });

  it.each(['', '1.', 'a', '1.0ab', '1.0_foo', '1.0-1', '1.0-r', '1.0_rc-p', '1.0 ', '1.0\n'])(
    'has no place for %j',
    (text) => {
      expect(signOf(portageOrder, text, '1.0')).toBe('?');
      expect(signOf(portageOrder, '1.0', text)).toBe('?');
    },
  );

  itKeepsTheLawsOfAnOrder(
    portageOrder,
    fc.oneof(
      {
        arbitrary: spelledInTurn(
          ['1', '0', '10'],
          ['', '.0', '.1', '.05', '.10', '.010'],
          ['', '.2', '.0'],
          ['', 'a', 'b'],
          ['', '_rc', '_p', '_alpha1', '_p2'],
          ['', '_p1'],
          ['', '-r0', '-r1', '-r10'],
        ),
        weight: 4,
      },
      {
        arbitrary: spelledFrom(
          ['0', '1', '10', '01'],
          ['.0', '.1', '.05', '.010', '.10', 'a', 'b', '_rc', '_p', '_alpha1', '_p2', '-r0', '-r1', '2'],
          5,
        ),
        weight: 1,
      },
    ),
  );
});
