/** What every cataloger must bear: any bytes end in claims, never in an exception. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Cataloger } from '../../shared/catalogers/contract.ts';
import { claimsOf } from './layer-file.ts';

const kinds = ['package', 'owned-files', 'distro', 'unreadable'];

/** `piece` are texts that the format is made of, so that some inputs come close to being well-formed. */
export function itBearsHostileInput(cataloger: Cataloger, path: string, pieces: readonly string[]): void {
  const nearlyRight = fc
    .array(fc.constantFrom(...pieces, '\n', '\n\n', '__proto__', '\u0000', '"'), { maxLength: 30 })
    .map((parts) => new TextEncoder().encode(parts.join('')));

  it('yields claims and throws nothing, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.uint8Array({ maxLength: 300 }), nearlyRight),
        fc.integer({ min: 1, max: 64 }),
        async (bytes, chunkBytes) => {
          for (const claim of await claimsOf(cataloger, path, bytes, chunkBytes)) {
            expect(kinds).toContain(claim.kind);
            if (claim.kind === 'package') {
              expect(claim.path).toBe(path);
              expect(claim.name).toMatch(/^[^\s\p{Cc}]{1,255}$/u);
              expect(claim.version).toMatch(/^[\x21-\x7e]{1,512}$/);
            }
          }
        },
      ),
    );
  });

  it('decides about any path without throwing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const group = cataloger.wants(text);
        expect(group === undefined || typeof group === 'string').toBe(true);
      }),
    );
  });
}
