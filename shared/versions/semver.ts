/** The order of Semantic Versioning 2.0.0 (section 11), used by npm, crates.io, Go, Hex and others. */
import { compareSemanticVersions, type SemanticVersion } from '../base/semantic-version.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders SemVer 2 and two forms of Go's module `golang.org/x/mod/semver`: a `v` in front, and `1` and `1.2` for
 *  `1.0.0` and `1.2.0`. Build metadata does not count; numbers may have any length (npm's own library refuses those
 *  past 2^53). Two texts that are the same are equal if they start as a number; else what has another form has no
 *  place: not `1.2.3.4`, not `01.2.3`, not `1.2-rc`. */
export const semverOrder: VersionOrder = {
  name: 'semver',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) {
      return a === b && a.length <= maxVersionLength && numericStart.test(a) ? 0 : undefined;
    }
    return compareSemanticVersions(left, right);
  },
};

const number = '(0|[1-9][0-9]*)';
/** Identifiers hold no dot, so that every character has one way to match and time stays linear. */
const semverPattern = new RegExp(
  `^v?${number}(?:\\.${number}(?:\\.${number}(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?)?)?$`,
);
const numericStart = /^v?[0-9][0-9A-Za-z.+-]*$/;
const digitsPattern = /^[0-9]+$/;

function parse(text: string): SemanticVersion | undefined {
  if (text.length > maxVersionLength) return undefined;
  const found = semverPattern.exec(text);
  if (found === null) return undefined;
  const [, major = '', minor = '0', patch = '0', preReleaseText] = found;
  const preRelease = preReleaseText === undefined ? [] : preReleaseText.split('.');
  const isIllFormed = preRelease.some(
    (part) => part.length > 1 && part.startsWith('0') && digitsPattern.test(part),
  );
  return isIllFormed ? undefined : { major, minor, patch, preRelease, build: [] };
}
