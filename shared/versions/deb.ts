/** Debian's version order (deb-version(7)): epoch, upstream version, revision, each as dpkg compares them. */
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders what dpkg accepts without a warning; anything else has no place. */
export const debOrder: VersionOrder = {
  name: 'deb',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) return undefined;
    if (left.epoch !== right.epoch) return left.epoch < right.epoch ? -1 : 1;
    return compareParts(left.upstream, right.upstream) || compareParts(left.revision, right.revision);
  },
};

interface DebVersion {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

/** dpkg keeps epochs in a C int. */
const maxEpoch = 2 ** 31 - 1;
const epochPattern = /^[0-9]+$/;
const upstreamPattern = /^[0-9][A-Za-z0-9.+~:-]*$/;
const revisionPattern = /^[A-Za-z0-9.+~]+$/;

function parse(text: string): DebVersion | undefined {
  if (text.length > maxVersionLength) return undefined;
  const colon = text.indexOf(':');
  const epochText = colon < 0 ? '0' : text.slice(0, colon);
  if (!epochPattern.test(epochText)) return undefined;
  const epoch = Number(epochText);
  if (epoch > maxEpoch) return undefined;
  const rest = text.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  const upstream = dash < 0 ? rest : rest.slice(0, dash);
  const revision = dash < 0 ? '0' : rest.slice(dash + 1);
  if (!upstreamPattern.test(upstream) || !revisionPattern.test(revision)) return undefined;
  return { epoch, upstream, revision };
}

/** Alternates runs of other characters and runs of digits; both texts are walked once. */
function compareParts(a: string, b: string): -1 | 0 | 1 {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = weight(a, i) - weight(b, j);
      if (difference !== 0) return difference < 0 ? -1 : 1;
      i += 1;
      j += 1;
    }
    while (a[i] === '0') i += 1;
    while (b[j] === '0') j += 1;
    let first: -1 | 0 | 1 = 0;
    while (isDigit(a, i) && isDigit(b, j)) {
      const difference = a.charCodeAt(i) - b.charCodeAt(j);
      if (first === 0 && difference !== 0) first = difference < 0 ? -1 : 1;
      i += 1;
      j += 1;
    }
    if (isDigit(a, i)) return 1;
    if (isDigit(b, j)) return -1;
    if (first !== 0) return first;
  }
  return 0;
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 48 && code <= 57;
}

/** `~` before the end and before digits, those before letters, letters before everything else. */
function weight(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (Number.isNaN(code) || isDigit(text, index)) return 0;
  if (code === 126) return -1;
  const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return isLetter ? code : code + 256;
}
