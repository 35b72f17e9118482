/** SemVer's order against the specification and npm's library. */
import fc from 'fast-check';
import * as npmSemver from 'semver';
import { describe, expect, it } from 'vitest';
import { semverOrder } from '../../shared/versions/semver.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { itKeepsTheLawsOfAnOrder } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

const wellFormedPiece = fc.constantFrom('0', '1', '9', '10', 'a', 'A', 'rc', '-', 'x-1', '0a');
const wellFormedNumber = fc.constantFrom('0', '1', '2', '10');
const numbers = fc.array(wellFormedNumber, { minLength: 3, maxLength: 3 });
const oddNumbers = fc.array(fc.constantFrom('0', '1', '01', '9'.repeat(20)), { minLength: 1, maxLength: 4 });
const piece = fc.oneof(
  { arbitrary: wellFormedPiece, weight: 9 },
  { arbitrary: fc.constantFrom('01', ''), weight: 1 },
);
const likely = fc
  .tuple(
    fc.constantFrom('', 'v'),
    fc.oneof({ arbitrary: numbers, weight: 5 }, { arbitrary: oddNumbers, weight: 1 }),
    fc.array(piece, { maxLength: 3 }).map((parts) => (parts.length === 0 ? '' : `-${parts.join('.')}`)),
    fc.constantFrom('', '+b1'),
  )
  .map(([prefix, parts, preRelease, build]) => prefix + parts.join('.') + preRelease + build);

describe('semver order', () => {
  it.skipIf(!hasCorpus)(`agrees with every line of the corpus${corpusReason}`, () => {
    expectAgreement(semverOrder, readComparisons(`${corpusPath}/versions/semver-versions.txt`, ' '));
  });

  // semver.org, section 11
  it('orders the chain that the specification gives', () => {
    const chain = [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
    ];
    for (const [i, a] of chain.entries()) {
      for (const [j, b] of chain.entries())
        expect(signOf(semverOrder, a, b)).toBe(i < j ? '<' : i > j ? '>' : '=');
    }
  });

  it('answers as the library of npm wherever that has an answer', () => {
    let answers = 0;
    fc.assert(
      fc.property(likely, likely, (a, b) => {
        if (npmSemver.valid(a) === null || npmSemver.valid(b) === null) return;
        answers += 1;
        expect(semverOrder.compare(a, b)).toBe(npmSemver.compare(a, b));
      }),
      { numRuns: 3000 },
    );
    expect(answers).toBeGreaterThan(100);
  });

  // golang.org/x/mod/semver: "v1 and v1.2 are shorthands"; RustSec writes `0.36` as well.
  it.each([
    ['1', '=', '1.0.0'],
    ['v1.2', '=', '1.2.0'],
    ['0.36', '>', '0.35.9'],
    ['1.2', '>', '1.2.0-rc.1'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(semverOrder, a, b)).toBe(sign);
  });

  it.each([
    '',
    'v',
    'latest',
    '1.2.3.4',
    '01.2.3',
    '1.2-rc',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3-a..b',
    '1.2.3+',
    '=1.2.3',
    ' 1.2.3',
    '1.2.3\n',
    '1.x',
    '^1.2.3',
    '-1.2.3',
  ])('has no place for %j', (text) => {
    expect(signOf(semverOrder, text, '1.0.0')).toBe('?');
    expect(signOf(semverOrder, '1.0.0', text)).toBe('?');
  });

  it('knows that a text of four numbers is the same as itself, and nothing more of it', () => {
    expect(signOf(semverOrder, '1.1.3.4', '1.1.3.4')).toBe('=');
    expect(signOf(semverOrder, '1.1.3.4', '1.1.3.5')).toBe('?');
  });

  itKeepsTheLawsOfAnOrder(semverOrder, likely);
});
