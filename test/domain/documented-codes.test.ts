import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { coverageCodes } from '../../shared/domain/coverage.ts';
import { errorCodes } from '../../shared/domain/errors.ts';
import { defaultPolicy } from '../../shared/policy/default-policy.ts';
import { evaluatePolicy } from '../../shared/policy/evaluate-policy.ts';

describe('docs/coverage.md', () => {
  const rows = readRows('coverage.md');

  it('explains exactly the codes that exist, in their order', () => {
    expect(rows.map((row) => row[0])).toEqual([...coverageCodes]);
    for (const row of rows) {
      expect(row[2]?.length, row[0]).toBeGreaterThan(30);
      expect(row[3]?.length, row[0]).toBeGreaterThan(10);
    }
  });

  it.each(coverageCodes)('says what the default policy makes of %s', (code) => {
    const { decision } = evaluatePolicy(defaultPolicy, [], [{ code, detail: 'some detail' }]);
    expect(rows.find((row) => row[0] === code)?.[1]).toBe(decision);
  });
});

describe('docs/errors.md', () => {
  it('explains exactly the codes that exist, in their order', () => {
    const rows = readRows('errors.md');
    expect(rows.map((row) => row[0])).toEqual([...errorCodes]);
    for (const row of rows) {
      expect(row[1]?.length, row[0]).toBeGreaterThan(20);
      expect(['yes', 'no'], row[0]).toContain(row[2]);
    }
  });
});

/** Cells of the table rows that start with a code. */
function readRows(name: string): string[][] {
  const text = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => /^\| `[A-Z_]+` \|/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/^`([A-Z_]+)`$/, '$1')),
    );
}
