/** Globs whose only special character is `*`, for any characters; matching never backtracks. */

/**
 * Whether the whole text fits the pattern. `*` stands for any characters, none and slashes included; everything else
 * for itself. Each fixed part is searched once, from where the one before ended, so that no pattern is slow.
 */
export function globMatches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let position = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return text.length - last.length >= position && text.endsWith(last);
}
