/** The order of Dart's packages: pub_semver, which is Semantic Versioning with build metadata compared. */
import { compareDigits } from '../base/digits.ts';
import { compareIdentifiers } from '../base/semantic-version.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders what pub_semver accepts, and three forms that advisories have: a `v` in front, `1` and `1.2`. Zeros in front of
 *  numbers do not count. Identifiers that Dart reads as other numbers than decimal ones (`-5`, `0x1f`) have no place.
 *  Two texts that are the same are equal if they start as a number, as in the order of semver. */
export const pubOrder: VersionOrder = {
  name: 'pub',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) {
      return a === b && a.length <= maxVersionLength && numericStart.test(a) ? 0 : undefined;
    }
    return (
      compareNumbers(left.numbers, right.numbers) ||
      comparePreReleases(left.preRelease, right.preRelease) ||
      // No identifiers are below any: a version without build metadata comes first.
      compareIdentifiers(left.build, right.build)
    );
  },
};

interface PubVersion {
  readonly numbers: readonly string[];
  readonly preRelease: readonly string[];
  readonly build: readonly string[];
}

const identifiers = '([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)';
const versionPattern = new RegExp(
  `^v?([0-9]+)(?:\\.([0-9]+)(?:\\.([0-9]+)(?:-${identifiers})?(?:\\+${identifiers})?)?)?$`,
);
const numericStart = /^v?[0-9][0-9A-Za-z.+-]*$/;
/** What Dart's int.tryParse takes beside plain digits. */
const oddNumberPattern = /^-(?:[0-9]+|0[xX][0-9A-Fa-f]+)$|^0[xX][0-9A-Fa-f]+$/;

function parse(text: string): PubVersion | undefined {
  if (text.length > maxVersionLength) return undefined;
  const found = versionPattern.exec(text);
  if (found === null) return undefined;
  const [, major = '', minor = '0', patch = '0', preReleaseText, buildText] = found;
  const preRelease = preReleaseText?.split('.') ?? [];
  const build = buildText?.split('.') ?? [];
  if ([...preRelease, ...build].some((part) => oddNumberPattern.test(part))) return undefined;
  return { numbers: [major, minor, patch], preRelease, build };
}

function compareNumbers(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  for (const [index, left] of a.entries()) {
    const order = compareDigits(left, b[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function comparePreReleases(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 0 : a.length === 0 ? 1 : -1;
  return compareIdentifiers(a, b);
}
