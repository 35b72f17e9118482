/** Lines from chunks: the same as splitting the whole text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLines } from '../../shared/base/lines.ts';

async function linesOf(
  text: string | Uint8Array,
  chunkBytes: number,
  maxLineLength = 1000,
): Promise<readonly string[]> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  const lines: string[] = [];
  for await (const batch of readLines(chunks(), maxLineLength)) lines.push(...batch);
  return lines;
}

describe('readLines', () => {
  it('gives the lines of the whole text, however it is cut', async () => {
    const pieces = fc.array(fc.constantFrom('a', 'é', '😀', '\n', '\r\n', ' '), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 9 }), async (parts, chunkBytes) => {
        const text = parts.join('');
        const expected = text.split(/\r?\n/);
        if (expected.at(-1) === '') expected.pop();
        expect(await linesOf(text, chunkBytes)).toEqual(expected);
      }),
    );
  });

  it.each([1, 3, 100])(
    'cuts a line at the limit and goes on with the next (chunks of %i)',
    async (chunkBytes) => {
      expect(await linesOf(`${'x'.repeat(50)}\nshort\n${'y'.repeat(50)}`, chunkBytes, 10)).toEqual([
        'x'.repeat(10),
        'short',
        'y'.repeat(10),
      ]);
    },
  );

  it('shows bytes that are no UTF-8 as U+FFFD', async () => {
    expect(await linesOf(Uint8Array.of(97, 0xff, 10, 0xc3), 1)).toEqual(['a\ufffd', '\ufffd']);
  });
});
