/** The order of Arch Linux: alpm_pkg_vercmp of libalpm, `[epoch:]version[-release]`. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders versions that end in a digit or a letter and hold neither `-` nor `/`, with a release of one or two numbers.
 *  libalpm calls versions equal where only one has a release, so that `1-1` and `1-2` would both equal `1`: such a pair
 *  has no place here. Nor has a version that ends in a separator: libalpm's answers about those run in circles. */
export const pacmanOrder: VersionOrder = {
  name: 'pacman',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) return undefined;
    const order = compareDigits(left.epoch, right.epoch) || compareParts(left.version, right.version);
    if (order !== 0) return order;
    if (left.release === undefined || right.release === undefined) {
      return left.release === right.release ? 0 : undefined;
    }
    return compareParts(left.release, right.release);
  },
};

interface PacmanVersion {
  readonly epoch: string;
  readonly version: string;
  readonly release: string | undefined;
}

/** Separators are the printable characters of ASCII that are neither letter nor digit, without `-`, `/` and `:`. */
const versionPattern = /^(?:([0-9]*):)?([!-,.0-9;-~]*[0-9A-Za-z])(?:-([0-9]+(?:\.[0-9]+)?))?$/;

function parse(text: string): PacmanVersion | undefined {
  if (text.length > maxVersionLength) return undefined;
  const found = versionPattern.exec(text);
  if (found === null) return undefined;
  const [, epoch = '', version = '', release] = found;
  return { epoch, version, release };
}

/** What may follow a segment, from least to greatest: letters come before the end (`1.0rc` before `1.0`), and a longer
 *  separator is above a shorter one. */
const kinds = { letters: 0, end: 1, digits: 2, separator: 3 } as const;
const segmentPattern = /([A-Za-z]+)|([0-9]+)|([^0-9A-Za-z]+)|$/y;

interface Segment {
  readonly kind: keyof typeof kinds;
  readonly text: string;
}

/** Both texts are walked once. */
function compareParts(a: string, b: string): -1 | 0 | 1 {
  for (let i = 0, j = 0, afterSeparator = false; ; ) {
    const left = segmentAt(a, i);
    const right = segmentAt(b, j);
    if (left.kind !== right.kind) {
      // Before the first segment and behind a separator there is no end, and digits are above letters.
      return order(left.kind, right.kind, afterSeparator);
    }
    if (left.kind === 'end') return 0;
    const difference = compareSegments(left, right);
    if (difference !== 0) return difference;
    afterSeparator = left.kind === 'separator';
    i += left.text.length;
    j += right.text.length;
  }
}

function order(a: Segment['kind'], b: Segment['kind'], afterSeparator: boolean): -1 | 1 {
  if (afterSeparator) return a === 'digits' ? 1 : -1;
  return kinds[a] < kinds[b] ? -1 : 1;
}

function compareSegments(a: Segment, b: Segment): -1 | 0 | 1 {
  if (a.kind === 'digits') return compareDigits(a.text, b.text);
  const left = a.kind === 'separator' ? a.text.length : a.text;
  const right = b.kind === 'separator' ? b.text.length : b.text;
  return left === right ? 0 : left < right ? -1 : 1;
}

function segmentAt(text: string, at: number): Segment {
  segmentPattern.lastIndex = at;
  const [, letters, digits, separator] = segmentPattern.exec(text) ?? [];
  if (letters !== undefined) return { kind: 'letters', text: letters };
  if (digits !== undefined) return { kind: 'digits', text: digits };
  return separator === undefined ? { kind: 'end', text: '' } : { kind: 'separator', text: separator };
}
