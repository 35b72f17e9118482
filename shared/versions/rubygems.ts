/** RubyGems' version order: Gem::Version. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders what Gem::Version accepts but for the empty text, which is 0 there. A platform (`-x86_64-linux`) is no part of
 *  a version: it would be read as a pre-release. */
export const rubygemsOrder: VersionOrder = {
  name: 'rubygems',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) return undefined;
    for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
      const order = compareSegments(left[index] ?? '0', right[index] ?? '0');
      if (order !== 0) return order;
    }
    return 0;
  },
};

const versionPattern = /^\s*[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\s*$/;
const segmentPattern = /[0-9]+|[A-Za-z]+/g;
const zeroPattern = /^0+$/;

/** The segments without the zeros that end the numbers before the first letters, and those that end the version. */
function parse(text: string): readonly string[] | undefined {
  if (text.length > maxVersionLength || !versionPattern.test(text)) return undefined;
  const segments = text.replaceAll('-', '.pre.').match(segmentPattern) ?? [];
  const firstLetters = segments.findIndex((segment) => !isNumber(segment));
  const numbers = firstLetters < 0 ? segments : segments.slice(0, firstLetters);
  const rest = firstLetters < 0 ? [] : segments.slice(firstLetters);
  return [...withoutLastZeros(numbers), ...withoutLastZeros(rest)];
}

function withoutLastZeros(segments: readonly string[]): readonly string[] {
  let end = segments.length;
  while (end > 0 && zeroPattern.test(segments[end - 1] ?? '')) end -= 1;
  return segments.slice(0, end);
}

function compareSegments(a: string, b: string): -1 | 0 | 1 {
  const isNumberA = isNumber(a);
  const isNumberB = isNumber(b);
  if (isNumberA !== isNumberB) return isNumberA ? 1 : -1;
  if (isNumberA) return compareDigits(a, b);
  return a === b ? 0 : a < b ? -1 : 1;
}

function isNumber(segment: string): boolean {
  const code = segment.charCodeAt(0);
  return code >= 48 && code <= 57;
}
