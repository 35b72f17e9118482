/** Conda's order against conda. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { condaOrder } from '../../shared/versions/conda.ts';
import { itKeepsTheLawsOfAnOrder, spelledFrom } from './laws.ts';
import { expectAgreement, readComparisons, signOf } from './tables.ts';

describe('conda order', () => {
  it('answers as VersionOrder of conda does', () => {
    const file = fileURLToPath(new URL('fixtures/conda-answers.tsv', import.meta.url));
    expectAgreement(condaOrder, readComparisons(file, '\t'));
  });

  // conda's documentation, "Version ordering"; conda's version.py
  it.each([
    ['0.4', '=', '0.4.0'],
    ['0.4.0', '<', '0.4.1.rc'],
    ['0.4.1.rc', '=', '0.4.1.RC'],
    ['0.4.1.RC', '<', '0.4.1'],
    ['0.5a1', '<', '0.5b3'],
    ['0.5b3', '<', '0.5C1'],
    ['0.5C1', '<', '0.5'],
    ['0.9.6', '<', '0.960923'],
    ['1.1dev1', '<', '1.1a1'],
    ['1.1.0dev1', '=', '1.1.dev1'],
    ['1.1.dev1', '<', '1.1.a1'],
    ['1.1.0', '<', '1.1.0post1'],
    ['1.1.0post1', '=', '1.1.post1'],
    ['1.1.post1', '<', '1.1post1'],
    ['1996.07.12', '<', '1!0.4.1'],
    ['1.0.1_', '<', '1.0.1a'],
    ['1.0-1', '=', '1.0_1'],
    ['1.0', '<', '1.0+1'],
  ])('%s %s %s', (a, sign, b) => {
    expect(signOf(condaOrder, a, b)).toBe(sign);
  });

  it.each([
    '',
    '1..0',
    '1.',
    '_1',
    '1+',
    '1+a_',
    '1!',
    'a!1',
    '1!2!3',
    '1+2+3',
    '1 0',
    '1_0-1',
    '1,2',
    '1/2',
  ])('has no place for %j', (text) => {
    expect(signOf(condaOrder, text, '1.0')).toBe('?');
    expect(signOf(condaOrder, '1.0', text)).toBe('?');
  });

  itKeepsTheLawsOfAnOrder(
    condaOrder,
    spelledFrom(
      ['1', '1.0', '1!0', '0', 'a', '10'],
      ['.0', '.1', '_1', '-1', 'a', 'rc', 'dev', 'post', '.dev1', '+1', '+a', '_', '*', '.post1'],
      5,
    ),
  );
});
