/** Makes texts from images, advisories and servers safe to print on a terminal. */

/** Stands where a character was taken out, so that a reader sees that something was there. */
const replacement = '\uFFFD';

/**
 * The text on one line, without what moves a cursor, changes colours, hides or reorders other text: control characters
 * (ESC among them), format characters (bidirectional overrides, zero widths, tags), line and paragraph separators,
 * lone surrogates and private use.
 */
export function safeText(text: string): string {
  return text.replace(/[\t\n\v\f\r]+/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, replacement);
}

/** The text cut to so many characters, the last of them `…` where something was cut off. */
export function shorten(text: string, maxLength: number): string {
  const characters = [...text];
  return characters.length <= maxLength ? text : `${characters.slice(0, maxLength - 1).join('')}…`;
}
