/** Maven's order against maven-artifact. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mavenOrder } from '../../shared/versions/maven.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom } from './laws.ts';
import { expectAgreement, expectUnivers, readComparisons, readUnivers, signOf } from './tables.ts';

describe('maven order', () => {
  it('answers as ComparableVersion of maven-artifact does', () => {
    const file = fileURLToPath(new URL('fixtures/maven-answers.tsv', import.meta.url));
    expectAgreement(mavenOrder, readComparisons(file, '\t'));
  });

  it.skipIf(!hasCorpus)(`agrees with every line of the corpus about maven${corpusReason}`, () => {
    expectAgreement(mavenOrder, readCorpusTable('maven'));
  });

  it.skipIf(!hasCorpus)(
    `agrees with the cases of univers but for those that Maven answers otherwise${corpusReason}`,
    () => {
      // ComparableVersion of maven-artifact 3.9.9
      const answers = [
        { a: '2-1', sign: '>', b: '2.0.a' },
        { a: '2-1', sign: '>', b: '2.0.0.a' },
        { a: '2.0.0.a', sign: '=', b: '2.0.a' },
      ] as const;
      const cases = readUnivers('maven');
      expect(cases.length).toBeGreaterThan(900);
      expectUnivers(
        mavenOrder,
        cases.map((row) => answers.find(({ a, b }) => a === row.a && b === row.b) ?? row),
      );
    },
  );

  // ComparableVersion says 1.sp.1 < 1-rc < 1 < 1.sp.1, and 1-sp < 1-0-rc < 1 < 1-sp.
  it.each([
    ['1.sp.1', '>', '1'],
    ['1.sp.1', '>', '1-rc'],
    ['1.sp.1', '=', '1-sp.1'],
    ['1-0-rc', '<', '1'],
    ['1-sp', '>', '1-0-rc'],
  ])('takes %s %s %s where Maven goes in circles', (a, sign, b) => {
    expect(signOf(mavenOrder, a, b)).toBe(sign);
  });

  // Maven POM reference, "Version Order Specification", and ComparableVersion of maven-artifact 3.9.9
  it.each([
    ['1.0.RC2', '<', '1.0-RC3'],
    ['1.0-RC3', '<', '1.0.1'],
    ['32.0.0-jre', '>', '32.0.0'],
    ['32.0.0-android', '<', '32.0.0-jre'],
    ['1-alpha', '<', '1-beta'],
    ['1-milestone', '<', '1-rc'],
    ['1-rc', '<', '1-SNAPSHOT'],
    ['1-SNAPSHOT', '<', '1'],
    ['1', '<', '1-sp'],
    ['1-sp', '<', '1-abc'],
    ['1-abc', '<', '1-1'],
    ['1-1', '<', '1.1'],
    ['1.0.0.Final', '=', '1'],
    ['4.1.0.Final-redhat-1', '>', '4.1.0.Final'],
    ['1cr', '=', '1-RC'],
    ['1a1', '=', '1-alpha-1'],
    ['1a', '>', '1'],
    ['2-1', '>', '2.0.a'],
    ['2.0.0.a', '=', '2.0.a'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(mavenOrder, a, b)).toBe(sign);
  });

  it.each(['', '${project.version}', '1.0 ', '1,2', '[1.0,2.0)', '1.0\n', '1/2', '1.0\u00e9'])(
    'has no place for %j',
    (text) => {
      expect(signOf(mavenOrder, text, '1.0')).toBe('?');
      expect(signOf(mavenOrder, '1.0', text)).toBe('?');
    },
  );

  itKeepsTheLawsOfAnOrder(
    mavenOrder,
    spelledFrom(
      ['1', '1.0', '0', '10', '', 'a'],
      ['.', '-', '-', '_', '0', '1', '07', 'a', 'rc', 'sp', 'foo', 'final', '-SNAPSHOT', '.rc.1', '-0', 'm'],
      6,
    ),
  );
});
