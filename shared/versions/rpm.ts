/** The order of rpm: epoch, version and release, each compared as rpmvercmp does. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders every text without white space and control characters, as `rpm.vercmp` of rpm 4.18 does: what is no digit,
 *  letter, `~` or `^` only separates. A missing epoch is 0; a missing release is below every release, even an empty one
 *  (dependencies are matched otherwise there, but that is no order). */
export const rpmOrder: VersionOrder = {
  name: 'rpm',
  compare(a, b) {
    if (!isPlaced(a) || !isPlaced(b)) return undefined;
    const left = parse(a);
    const right = parse(b);
    const order = compareParts(left.epoch, right.epoch) || compareParts(left.version, right.version);
    if (order !== 0) return order;
    if (left.release === undefined || right.release === undefined) {
      return left.release === right.release ? 0 : left.release === undefined ? -1 : 1;
    }
    return compareParts(left.release, right.release);
  },
};

interface RpmVersion {
  readonly epoch: string;
  readonly version: string;
  readonly release: string | undefined;
}

const epochPattern = /^([0-9]*):/;
const placedPattern = /^[^\s\p{Cc}]+$/u;

function isPlaced(text: string): boolean {
  return text.length <= maxVersionLength && placedPattern.test(text);
}

function parse(text: string): RpmVersion {
  const epoch = epochPattern.exec(text)?.[1];
  const rest = epoch === undefined ? text : text.slice(epoch.length + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: epoch === undefined || epoch === '' ? '0' : epoch,
    version: dash < 0 ? rest : rest.slice(0, dash),
    release: dash < 0 ? undefined : rest.slice(dash + 1),
  };
}

/** Kinds of what may come next, from least to greatest. */
const kinds = { tilde: 0, end: 1, caret: 2, letters: 3, digits: 4 } as const;

interface Segment {
  readonly kind: keyof typeof kinds;
  readonly text: string;
  /** Where the next segment starts. */
  readonly next: number;
}

const segmentPattern = /[^0-9A-Za-z~^]*(?:(~)|(\^)|([0-9]+)|([A-Za-z]+)|$)/y;

/** Both texts are walked once. */
function compareParts(a: string, b: string): -1 | 0 | 1 {
  for (let i = 0, j = 0; ; ) {
    const left = segmentAt(a, i);
    const right = segmentAt(b, j);
    if (left.kind !== right.kind) return kinds[left.kind] < kinds[right.kind] ? -1 : 1;
    if (left.kind === 'end') return 0;
    if (left.kind === 'digits') {
      const order = compareDigits(left.text, right.text);
      if (order !== 0) return order;
    } else if (left.text !== right.text) {
      return left.text < right.text ? -1 : 1;
    }
    i = left.next;
    j = right.next;
  }
}

function segmentAt(text: string, at: number): Segment {
  segmentPattern.lastIndex = at;
  const [whole = '', tilde, caret, digits, letters] = segmentPattern.exec(text) ?? [];
  const next = at + whole.length;
  if (tilde !== undefined) return { kind: 'tilde', text: tilde, next };
  if (caret !== undefined) return { kind: 'caret', text: caret, next };
  if (digits !== undefined) return { kind: 'digits', text: digits, next };
  if (letters !== undefined) return { kind: 'letters', text: letters, next };
  return { kind: 'end', text: '', next };
}
