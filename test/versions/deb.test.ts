/** Debian's order against dpkg itself. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { debOrder } from '../../shared/versions/deb.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { itKeepsTheLawsOfAnOrder } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('deb order', () => {
  it('answers as dpkg does, and ? where dpkg warns or refuses', () => {
    const file = fileURLToPath(new URL('fixtures/dpkg-answers.tsv', import.meta.url));
    expectAgreement(debOrder, readComparisons(file, '\t'));
  });

  it.skipIf(!hasCorpus)(`agrees with every line of the corpus${corpusReason}`, () => {
    expectAgreement(debOrder, readComparisons(`${corpusPath}/versions/debian-versions.txt`, ' '));
  });

  // dpkg --compare-versions A lt|eq|gt B (1.21.22)
  it.each([
    ['1.0~rc1', '<', '1.0'],
    ['1.0', '<', '1.0+b1'],
    ['1.0-1', '<', '1.0-1+b1'],
    ['1:0.1', '>', '999'],
    ['1.0', '=', '1.0-0'],
    ['1.0a', '<', '1.0+'],
    ['1.2.3~', '<', '1.2.3'],
    ['1.2.3~~', '<', '1.2.3~'],
    ['2.36-9+deb12u10', '>', '2.36-9+deb12u9'],
    ['0.0009', '=', '0.9'],
    ['12345678901234567890123', '<', '12345678901234567890124'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(debOrder, a, b)).toBe(sign);
  });

  it.each([
    '',
    ':1',
    '1:',
    'x:1',
    '-1:1',
    '2147483648:1',
    '1-',
    '1.0 1',
    '1.0_1',
    'a1',
    '1.0-1_2',
    '1\n',
    '1.0é',
  ])('has no place for %j', (text) => {
    expect(signOf(debOrder, text, '1.0')).toBe('?');
    expect(signOf(debOrder, '1.0', text)).toBe('?');
  });

  const piece = fc.constantFrom('0', '1', '9', '10', '007', 'a', 'Z', '~', '+', '.', '-', 'rc');
  itKeepsTheLawsOfAnOrder(
    debOrder,
    fc
      .tuple(
        fc.constantFrom('', '0:', '1:'),
        fc.constantFrom('0', '1', '10'),
        fc.array(piece, { maxLength: 4 }),
      )
      .map(([epoch, first, rest]) => epoch + first + rest.join('')),
  );
});
