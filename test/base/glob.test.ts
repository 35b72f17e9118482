/** Globs: what `*` stands for, and that no pattern is slow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globMatches } from '../../shared/base/glob.ts';

describe('globMatches', () => {
  it.each<[string, string, boolean]>([
    ['', '', true],
    ['', 'a', false],
    ['a', 'a', true],
    ['a', 'ab', false],
    ['*', '', true],
    ['*', 'a/b', true],
    ['a*', 'a', true],
    ['a*', 'ba', false],
    ['*a', 'ba', true],
    ['*a', 'ab', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['r.io/team/*', 'r.io/team/app/x', true],
    ['r.io/team/*', 'r.io/teams/app', false],
    ['*/app', 'r.io/team/app', true],
    ['r?io/*', 'r.io/app', false],
    ['a.c', 'abc', false],
    ['*ab*ab', 'ab', false],
    ['*ab*ab', 'abab', true],
    ['**x**', 'axb', true],
    ['a*b*c', 'a-c-b', false],
  ])('%s against %s is %s', (pattern, text, matches) => {
    expect(globMatches(pattern, text)).toBe(matches);
  });

  it('agrees with the regular expression of the same meaning', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 }), (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
        expect(globMatches(pattern, text)).toBe(expression.test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('answers a pattern at once that makes a backtracking matcher hang', () => {
    expect(globMatches('*a'.repeat(200).concat('*b'), 'a'.repeat(20_000))).toBe(false);
  });
});
