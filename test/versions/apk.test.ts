/** Alpine's order against apk itself. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apkOrder } from '../../shared/versions/apk.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { itKeepsTheLawsOfAnOrder } from './laws.ts';
import { expectAgreement, expectUnivers, readComparisons, readUnivers, signOf } from './tables.ts';

describe('apk order', () => {
  it('answers as apk version -t does', () => {
    const file = fileURLToPath(new URL('fixtures/apk-answers.tsv', import.meta.url));
    expectAgreement(apkOrder, readComparisons(file, '\t'));
  });

  it.skipIf(!hasCorpus)(`agrees with every line of the corpus${corpusReason}`, () => {
    expectAgreement(apkOrder, readComparisons(`${corpusPath}/versions/alpine-versions.txt`, ' '));
  });

  it.skipIf(!hasCorpus)(`agrees with the cases of univers${corpusReason}`, () => {
    const cases = readUnivers('alpine');
    expect(cases.length).toBeGreaterThan(700);
    expectUnivers(apkOrder, cases);
  });

  // apk-tools 3, src/version.c: kinds in the order of its token enumeration, leading zeros as text, hashes as text.
  it.each([
    ['1.0a', '<', '1.0.1'],
    ['1.0', '<', '1.0-r0'],
    ['1.0', '<', '1.0a'],
    ['1.0_rc1', '<', '1.0'],
    ['2.0_rc1', '<', '2.0'],
    ['1.0_p1', '>', '1.0'],
    ['1.0_p1', '<', '1.0a'],
    ['1.0_alpha', '<', '1.0_alpha1'],
    ['1.0_alpha-r1', '<', '1.0_alpha1'],
    ['8.2.0015', '<', '8.2.002'],
    ['1.05', '<', '1.1'],
    ['007', '=', '7'],
    ['1.0~0a', '<', '1.0~0b'],
    ['1.0~0a', '>', '1.0-r5'],
    ['1.0_git20240101', '<', '1.0_git20240102'],
    ['18446744073709551617', '>', '18446744073709551616'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(apkOrder, a, b)).toBe(sign);
  });

  it.each(['1.0_rc', '1.0_rc1', '1.0'])(
    'sorts a malformed end of 1.0 below %s or above its pre-releases',
    (text) => {
      const expected = text === '1.0' ? '<' : '>';
      expect(signOf(apkOrder, '1.0_unknown', text)).toBe(expected);
      expect(signOf(apkOrder, '1.0-rogue', text)).toBe(expected);
    },
  );

  it.each(['', ' ', '1.0 ', '1.0\n', '1:0', '1.0é', '1.0/2', '\u0000'])('has no place for %j', (text) => {
    expect(signOf(apkOrder, text, '1.0')).toBe('?');
    expect(signOf(apkOrder, '1.0', text)).toBe('?');
  });

  const piece = fc.constantFrom(
    '.0',
    '.1',
    '.05',
    '.10',
    'a',
    '_rc',
    '_p',
    '_none',
    '1',
    '~0a',
    '-r1',
    '-r',
    '-x',
    '.',
    'A',
  );
  itKeepsTheLawsOfAnOrder(
    apkOrder,
    fc
      .tuple(fc.constantFrom('0', '1', '01', ''), fc.array(piece, { maxLength: 4 }))
      .map(([first, rest]) => first + rest.join('')),
  );
});
