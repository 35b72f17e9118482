/** NuGet's version order: NuGet.Versioning's NuGetVersion and its default comparer. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders what NuGetVersion.Parse accepts: one to four numbers that fit a signed 32-bit integer, white space around
 *  them; a missing number is 0, labels are compared without regard to case, build metadata does not count. */
export const nugetOrder: VersionOrder = {
  name: 'nuget',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) return undefined;
    for (let index = 0; index < partCount; index += 1) {
      const order = compareDigits(left.numbers[index] ?? '', right.numbers[index] ?? '');
      if (order !== 0) return order;
    }
    return compareLabels(left.labels, right.labels);
  },
};

interface NugetVersion {
  readonly numbers: readonly string[];
  /** Labels of the pre-release, upper case; empty for a release. */
  readonly labels: readonly string[];
}

const partCount = 4;
const maxNumber = 2 ** 31 - 1;
const minNumber = -(2 ** 31);
const number = '\\s*([0-9]+)\\s*';
const identifiers = '([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)';
const versionPattern = new RegExp(
  `^${number}(?:\\.${number}(?:\\.${number}(?:\\.${number})?)?)?(?:-${identifiers})?(?:\\+${identifiers})?$`,
);
const paddedNumberPattern = /^0[0-9]+$/;
/** How int.TryParse reads a label; `+` cannot stand in one. */
const signedNumberPattern = /^-?[0-9]+$/;

function parse(text: string): NugetVersion | undefined {
  if (text.length > maxVersionLength) return undefined;
  const found = versionPattern.exec(text);
  if (found === null) return undefined;
  const numbers = found.slice(1, 1 + partCount).map((part) => part ?? '0');
  const labels = found[1 + partCount]?.toUpperCase().split('.') ?? [];
  if (numbers.some((part) => Number(part) > maxNumber)) return undefined;
  return labels.some((label) => paddedNumberPattern.test(label)) ? undefined : { numbers, labels };
}

function compareLabels(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 0 : a.length === 0 ? 1 : -1;
  for (let index = 0; ; index += 1) {
    const left = a[index];
    const right = b[index];
    if (left === undefined || right === undefined) {
      return left === right ? 0 : left === undefined ? -1 : 1;
    }
    const order = compareLabel(left, right);
    if (order !== 0) return order;
  }
}

/** Numbers are below texts; what does not fit the integer is a text. */
function compareLabel(a: string, b: string): -1 | 0 | 1 {
  const left = asInteger(a);
  const right = asInteger(b);
  if (left !== undefined && right !== undefined) return left === right ? 0 : left < right ? -1 : 1;
  if (left !== undefined || right !== undefined) return left === undefined ? 1 : -1;
  return a === b ? 0 : a < b ? -1 : 1;
}

function asInteger(label: string): number | undefined {
  if (!signedNumberPattern.test(label)) return undefined;
  const value = Number(label);
  // Adding 0 makes one zero of two.
  return value >= minNumber && value <= maxNumber ? value + 0 : undefined;
}
