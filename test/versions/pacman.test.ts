/** Arch Linux' order against libalpm. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pacmanOrder } from '../../shared/versions/pacman.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('pacman order', () => {
  it('answers as alpm_pkg_vercmp of libalpm does', () => {
    const file = fileURLToPath(new URL('fixtures/pacman-answers.tsv', import.meta.url));
    expectAgreement(pacmanOrder, readComparisons(file, '\t'));
  });

  it('knows nothing of a pair where only one has a release and the rest is equal', () => {
    // libalpm answers 0 to both, though it says 1-1 < 1-2.
    expect([signOf(pacmanOrder, '1', '1-1'), signOf(pacmanOrder, '1', '1-2')]).toEqual(['?', '?']);
    expect([signOf(pacmanOrder, '1', '2-1'), signOf(pacmanOrder, '2', '1-1')]).toEqual(['<', '>']);
  });

  // vercmp(8) and alpm_pkg_vercmp of libalpm 6.0.2
  it.each([
    ['1.0a', '<', '1.0b'],
    ['1.0b', '<', '1.0beta'],
    ['1.0beta', '<', '1.0p'],
    ['1.0p', '<', '1.0pre'],
    ['1.0pre', '<', '1.0rc'],
    ['1.0rc', '<', '1.0'],
    ['1.0', '<', '1.0.a'],
    ['1.0.a', '<', '1.0.1'],
    ['1:1-1', '>', '2-1'],
    ['1.0-1', '<', '1.0-1.1'],
    ['1..0', '>', '1.1'],
    ['01', '=', '1'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(pacmanOrder, a, b)).toBe(sign);
  });

  it.each(['', '1.', '1-', '-1', '1-1-1', '1-a', '1/2', '1 0', 'x:1', '1.0\u00e9', '1\n', '1-1.'])(
    'has no place for %j',
    (text) => {
      expect(signOf(pacmanOrder, text, '1-1')).toBe('?');
      expect(signOf(pacmanOrder, '1-1', text)).toBe('?');
    },
  );

  itKeepsTheLawsOfAnOrder(
    pacmanOrder,
    spelledFrom(
      ['1', '0:1', '1:0', '10', 'a', '+1'],
      ['.1', '.a', '..1', 'a', '1', '0', 'rc', '+b', '~1', '-1', '-2', '-1.1'],
      4,
    ),
  );
});
