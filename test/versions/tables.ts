/** Reads tables of version pairs and runs an order over them, both ways. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { VersionOrder } from '../../shared/versions/contract.ts';

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

function asSign(text: string): Sign {
  if (text === '<' || text === '=' || text === '>' || text === '?') return text;
  throw new RangeError(`expected <, =, > or ?, found "${text}"`);
}
