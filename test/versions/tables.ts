/** Reads tables of version pairs and runs an order over them, both ways. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { VersionOrder } from '../../shared/versions/contract.ts';
import { corpusPath } from '../support/corpus.ts';

export type Sign = '<' | '=' | '>' | '?';

export interface Comparison {
  readonly a: string;
  readonly sign: Sign;
  readonly b: string;
}

/** Lines `A<separator>sign<separator>B`; `#` and `//` begin comments. */
export function readComparisons(file: string, separator: string): readonly Comparison[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#') && !line.startsWith('//'))
    .map((line) => {
      const [a = '', sign = '', b = ''] = line.split(separator);
      return { a, sign: asSign(sign), b };
    });
}

interface UniversComparison {
  readonly a: string;
  readonly sign: Sign | '!';
  readonly b: string;
}

interface UniversCase {
  readonly input: { readonly versions: readonly [string, string] };
  /** The two in ascending order, or whether they are equal. */
  readonly expected_output: readonly [string, string] | boolean;
}

/** The cases of `versions/univers/<name>_version_cmp.json`; `!` where they say no more than that the two differ. */
export function readUnivers(name: string): readonly UniversComparison[] {
  const text = readFileSync(`${corpusPath}/versions/univers/${name}_version_cmp.json`, 'utf8');
  return (JSON.parse(text) as readonly UniversCase[]).map(({ input: { versions }, expected_output }) => {
    const [a, b] = versions;
    if (typeof expected_output !== 'boolean') {
      // A version with upper case is given back in lower case; the two of a pair never differ in that alone.
      return { a, sign: expected_output[0].toLowerCase() === a.toLowerCase() ? '<' : '>', b };
    }
    return { a, sign: expected_output ? '=' : '!', b };
  });
}

export function signOf(order: VersionOrder, a: string, b: string): Sign {
  const result = order.compare(a, b);
  return result === undefined ? '?' : result < 0 ? '<' : result > 0 ? '>' : '=';
}

/** Every pair must come out as the table says, and the other way round when turned. */
export function expectAgreement(order: VersionOrder, comparisons: readonly Comparison[]): void {
  const turned = { '<': '>', '>': '<', '=': '=', '?': '?' } as const;
  expect(comparisons.length).toBeGreaterThan(0);
  const found = comparisons.flatMap(({ a, b }) => [
    `${a} ${signOf(order, a, b)} ${b}`,
    `${b} ${signOf(order, b, a)} ${a}`,
  ]);
  expect(found).toEqual(
    comparisons.flatMap(({ a, sign, b }) => [`${a} ${sign} ${b}`, `${b} ${turned[sign]} ${a}`]),
  );
}

/** As expectAgreement; where two must differ, either order will do. */
export function expectUnivers(order: VersionOrder, comparisons: readonly UniversComparison[]): void {
  expectAgreement(
    order,
    comparisons.map(({ a, sign, b }) => {
      if (sign !== '!') return { a, sign, b };
      const found = signOf(order, a, b);
      expect(['<', '>']).toContain(found);
      return { a, sign: found, b };
    }),
  );
}

function asSign(text: string): Sign {
  if (text === '<' || text === '=' || text === '>' || text === '?') return text;
  throw new RangeError(`expected <, =, > or ?, found "${text}"`);
}
