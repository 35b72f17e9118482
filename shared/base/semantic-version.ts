/** Semantic Versioning 2.0.0: the grammar and the order of its pre-releases. */
import { compareDigits } from './digits.ts';

export interface SemanticVersion {
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** Identifiers of the pre-release; empty for a release. */
  readonly preRelease: readonly string[];
  /** Identifiers of the build metadata; empty where there is none. */
  readonly build: readonly string[];
}

const number = '(0|[1-9][0-9]*)';
const identifiers = '([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)';
/** Identifiers hold no dot, so that every character has one way to match and time stays linear. */
const pattern = new RegExp(`^${number}\\.${number}\\.${number}(?:-${identifiers})?(?:\\+${identifiers})?$`);
const digitsPattern = /^[0-9]+$/;
const paddedNumberPattern = /^0[0-9]+$/;

/** Undefined for what the grammar (semver.org, section 9 to 11) does not have: no `v` in front, three numbers, no zeros
 *  in front of numbers. The caller bounds the length. */
export function parseSemanticVersion(text: string): SemanticVersion | undefined {
  const found = pattern.exec(text);
  if (found === null) return undefined;
  const [, major = '', minor = '', patch = '', preReleaseText, buildText] = found;
  const preRelease = preReleaseText?.split('.') ?? [];
  if (preRelease.some((part) => paddedNumberPattern.test(part))) return undefined;
  return { major, minor, patch, preRelease, build: buildText?.split('.') ?? [] };
}

/** Section 11: build metadata does not count. */
export function compareSemanticVersions(a: SemanticVersion, b: SemanticVersion): -1 | 0 | 1 {
  const order =
    compareDigits(a.major, b.major) || compareDigits(a.minor, b.minor) || compareDigits(a.patch, b.patch);
  if (order !== 0) return order;
  if (a.preRelease.length === 0 || b.preRelease.length === 0) {
    return a.preRelease.length === b.preRelease.length ? 0 : a.preRelease.length === 0 ? 1 : -1;
  }
  return compareIdentifiers(a.preRelease, b.preRelease);
}

/** Identifier by identifier, numbers below texts; of two where one begins the other, the longer is above. */
export function compareIdentifiers(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  for (let index = 0; ; index += 1) {
    const left = a[index];
    const right = b[index];
    if (left === undefined || right === undefined) {
      return left === right ? 0 : left === undefined ? -1 : 1;
    }
    const order = compareIdentifier(left, right);
    if (order !== 0) return order;
  }
}

function compareIdentifier(a: string, b: string): -1 | 0 | 1 {
  const isNumberA = digitsPattern.test(a);
  const isNumberB = digitsPattern.test(b);
  if (isNumberA && isNumberB) return compareDigits(a, b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
