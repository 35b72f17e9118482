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
        const turns = [
          [a, b, c],
          [a, c, b],
          [b, a, c],
          [b, c, a],
          [c, a, b],
          [c, b, a],
        ] as const;
        for (const [low, middle, high] of turns) {
          const first = compare(low, middle);
          const second = compare(middle, high);
          if (first === undefined || second === undefined || first > 0 || second > 0) continue;
          chains += 1;
          expect(compare(low, high)).toBe(first === 0 && second === 0 ? 0 : -1);
        }
      }),
      { numRuns: 3000 },
    );
    expect(chains).toBeGreaterThan(500);
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
    'answers 1,000 times about a long run of "%s" within a second',
    (piece) => {
      const texts = ['1.1.1-', '1', '1a', '1.0-rc', '1.0_p1+'].map((beginning) =>
        `${beginning}${piece.repeat(maxVersionLength)}`.slice(0, maxVersionLength),
      );
      const startedMs = performance.now();
      for (const text of texts) {
        for (let run = 0; run < 100; run += 1) {
          compare(text, `${text.slice(0, -1)}!`);
          compare(text, `${text.slice(0, -1)}0`);
        }
      }
      expect(performance.now() - startedMs).toBeLessThan(1000);
    },
  );
}

/** Texts of one beginning and up to `maxLength` pieces in any order. */
export function spelledFrom(
  beginnings: readonly string[],
  pieces: readonly string[],
  maxLength: number,
): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...beginnings), fc.array(fc.constantFrom(...pieces), { maxLength }))
    .map(([first, rest]) => first + rest.join(''));
}

/** Texts of one piece of each list, in the order of the lists. */
export function spelledInTurn(...lists: readonly (readonly string[])[]): fc.Arbitrary<string> {
  return fc.tuple(...lists.map((pieces) => fc.constantFrom(...pieces))).map((pieces) => pieces.join(''));
}
