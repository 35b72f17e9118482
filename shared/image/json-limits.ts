/** How much JSON a manifest, an index or a config may hold: memory goes by its values, not by its bytes. */
import { excessOfJson, type JsonBounds } from '../base/json-bounds.ts';
import { PlimsollError } from '../domain/errors.ts';

/** An image of 1,000 layers with annotations on each has some 50,000 values; nothing lies deeper than ten levels. */
export const imageJsonBounds: JsonBounds = { maxValues: 200_000, maxDepth: 100 };

/** Throws TOO_LARGE where the bytes hold more; `where` is for the message. Call it before the bytes are parsed. */
export function requireJsonBounds(bytes: Uint8Array, where: string): void {
  const excess = excessOfJson(bytes, imageJsonBounds);
  if (excess === undefined) return;
  throw new PlimsollError(
    'TOO_LARGE',
    `${where}: expected JSON of at most ${imageJsonBounds.maxValues} values on ${imageJsonBounds.maxDepth} levels, found ${excess}`,
  );
}
