/** The laws that every version order keeps, whatever text it is given. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { maxVersionLength, type VersionOrder } from '../../shared/versions/contract.ts';

/** `likely` makes texts that look like versions of the order; every law is also tried with arbitrary text. */
export function itKeepsTheLawsOfAnOrder(order: VersionOrder, likely: fc.Arbitrary<string>): void {
  const versions = fc.oneof({ arbitrary: likely, weight: 5 }, { arbitrary: fc.string(), weight: 1 });
  const compare = (a: string, b: string): number | undefined => order.compare(a, b);

  it('says the opposite when the two are turned, and = of a version and itself', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        const forward = compare(a, b);
        const backward = compare(b, a);
        expect(backward).toBe(forward === undefined ? undefined : 0 - forward);
        expect([0, undefined]).toContain(compare(a, a));
      }),
    );
  });

  it('is transitive', () => {
    let chains = 0;
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        const first = compare(a, b);
        const second = compare(b, c);
        if (first === undefined || second === undefined || first > 0 || second > 0) return;
        chains += 1;
        const whole = compare(a, c);
        expect(whole === undefined ? Number.NaN : Math.sign(whole)).toBe(
          first === 0 && second === 0 ? 0 : -1,
        );
      }),
      { numRuns: 3000 },
    );
    expect(chains).toBeGreaterThan(100);
  });

  it('has no place for the empty text and for what is longer than any version', () => {
    const long = '1'.repeat(maxVersionLength + 1);
    expect([compare('', '1'), compare('1', ''), compare('', '')]).toEqual([undefined, undefined, undefined]);
    expect([compare(long, '1'), compare('1', long), compare(long, long)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each(['1', '1.', '1-', '1~', '1+', '0', 'a', '-', '.a-', '_p1', '1.1-1+'])(
    'answers 2,000 times about a long run of "%s" within a second',
    (piece) => {
      const text = `1.1.1-${piece.repeat(maxVersionLength)}`.slice(0, maxVersionLength);
      const startedMs = performance.now();
      for (let run = 0; run < 1000; run += 1) {
        compare(text, `${text.slice(0, -1)}!`);
        compare(text, text);
      }
      expect(performance.now() - startedMs).toBeLessThan(1000);
    },
  );
}
