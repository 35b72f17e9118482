/** Bounds on JSON, told without parsing it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excessOfJson } from '../../shared/base/json-bounds.ts';

const wide = { maxValues: 1_000_000, maxDepth: 1_000_000 };

function excess(text: string, bounds: Partial<typeof wide>): string | undefined {
  return excessOfJson(Buffer.from(text), { ...wide, ...bounds });
}

describe('excessOfJson', () => {
  it.each([
    ['[0,0,0]', 4],
    ['{"a":{"b":[]}}', 6],
    ['"a,b,[c],{d:e}"', 1],
    ['["\\"],[,","x"]', 3],
    ['["\\\\",[],[]]', 6],
  ])('counts %s within %i values and not within one less', (text, most) => {
    expect(excess(text, { maxValues: most })).toBeUndefined();
    expect(excess(text, { maxValues: most - 1 })).toBe(`more than ${most - 1} values`);
  });

  it.each([
    ['[[[]],[[]]]', 3],
    ['{"a":[{"b":0}]}', 3],
    ['"[[[["', 0],
  ])('%s has %i levels', (text, levels) => {
    expect(excess(text, { maxDepth: levels })).toBeUndefined();
    if (levels > 0) expect(excess(text, { maxDepth: levels - 1 })).toBe(`more than ${levels - 1} levels`);
  });

  it('never counts fewer values than parsing makes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const [values, levels] = [valuesOf(value), levelsOf(value)];
        expect(excess(JSON.stringify(value), { maxDepth: levels })).toBeUndefined();
        if (values > 1) expect(excess(JSON.stringify(value), { maxValues: values - 1 })).toBeDefined();
      }),
    );
  });

  it('bears bytes that are no JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const found = excessOfJson(bytes, { maxValues: 10, maxDepth: 2 });
        expect([undefined, 'more than 10 values', 'more than 2 levels']).toContain(found);
      }),
    );
  });
});

function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  const names = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, inner) => sum + valuesOf(inner), 1 + names);
}

function levelsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(levelsOf));
}
