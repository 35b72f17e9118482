/** Gentoo's version order: the Package Manager Specification, chapter 3.2 and 3.3. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders what the specification's grammar has: `numbers{letter}{_suffix{number}}{-rN}`. */
export const portageOrder: VersionOrder = {
  name: 'portage',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) return undefined;
    return (
      compareNumbers(left.numbers, right.numbers) ||
      compareTexts(left.letter, right.letter) ||
      compareSuffixes(left.suffixes, right.suffixes) ||
      compareDigits(left.revision, right.revision)
    );
  },
};

interface PortageVersion {
  readonly numbers: readonly string[];
  readonly letter: string;
  /** Without the first underscore: `rc1`, `p`. */
  readonly suffixes: readonly string[];
  readonly revision: string;
}

const versionPattern = /^([0-9]+(?:\.[0-9]+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|p)[0-9]*)*)(?:-r([0-9]+))?$/;
const suffixPattern = /^([a-z]*)([0-9]*)$/;

/** Suffixes in order; `none` is the place of a version that has no further suffix. */
const suffixes = ['alpha', 'beta', 'pre', 'rc', 'none', 'p'];

function parse(text: string): PortageVersion | undefined {
  if (text.length > maxVersionLength) return undefined;
  const found = versionPattern.exec(text);
  if (found === null) return undefined;
  const [, numbers = '', letter = '', suffixText = '', revision = ''] = found;
  return { numbers: numbers.split('.'), letter, suffixes: suffixText.split('_').slice(1), revision };
}

function compareNumbers(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  for (let index = 0; ; index += 1) {
    const left = a[index];
    const right = b[index];
    if (left === undefined || right === undefined) {
      return left === right ? 0 : left === undefined ? -1 : 1;
    }
    // A zero in front makes both sides decimal places: 1.05 < 1.1.
    const isPlaces = index > 0 && (left.startsWith('0') || right.startsWith('0'));
    const order = isPlaces
      ? compareTexts(withoutLastZeros(left), withoutLastZeros(right))
      : compareDigits(left, right);
    if (order !== 0) return order;
  }
}

function compareSuffixes(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [, leftName = '', leftNumber = ''] = suffixPattern.exec(a[index] ?? 'none') ?? [];
    const [, rightName = '', rightNumber = ''] = suffixPattern.exec(b[index] ?? 'none') ?? [];
    const difference = suffixes.indexOf(leftName) - suffixes.indexOf(rightName);
    if (difference !== 0) return difference < 0 ? -1 : 1;
    const order = compareDigits(leftNumber, rightNumber);
    if (order !== 0) return order;
  }
  return 0;
}

function withoutLastZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}

function compareTexts(a: string, b: string): -1 | 0 | 1 {
  return a === b ? 0 : a < b ? -1 : 1;
}
