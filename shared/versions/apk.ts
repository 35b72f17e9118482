/** Alpine's version order, as apk-tools 3 compares: `number{.number}{letter}{_suffix{number}}{~hash}{-rN}`. */
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders every text of version characters, because apk does: what is malformed sorts just below a version that ends
 *  where the malformed part begins. Malformed revisions are equal to one another, other malformed parts sort as text.
 *  Empty or overlong texts and those with other characters have no place. */
export const apkOrder: VersionOrder = {
  name: 'apk',
  compare(a, b) {
    if (!isPlaced(a) || !isPlaced(b)) return undefined;
    const left = firstToken(a);
    const right = firstToken(b);
    return compareTokens(a, left, b, right);
  },
};

/** Kinds from least to greatest at the place where two versions part; a pre-release suffix is below all of them. */
const kinds = {
  malformed: 0,
  malformedRevision: 1,
  end: 2,
  revision: 3,
  hash: 4,
  suffixNumber: 5,
  suffix: 6,
  letter: 7,
  number: 8,
  firstNumber: 9,
} as const;

type Kind = keyof typeof kinds;

interface Token {
  readonly kind: Kind;
  readonly text: string;
  /** Where the next token starts. */
  readonly next: number;
}

/** Suffixes in order; those before `none` mark pre-releases. */
const suffixes = ['alpha', 'beta', 'pre', 'rc', 'none', 'cvs', 'svn', 'git', 'hg', 'p'];
const firstPostSuffix = suffixes.indexOf('none') + 1;

const placedPattern = /^[0-9A-Za-z._~+-]+$/;
const digitsPattern = /[0-9]*/y;
const wordPattern = /[a-z]*/y;
const hexPattern = /[0-9a-fA-F]*/y;
const revisionPattern = /-r([0-9]*)$/y;

function isPlaced(text: string): boolean {
  return text.length <= maxVersionLength && placedPattern.test(text);
}

function compareTokens(a: string, firstA: Token, b: string, firstB: Token): -1 | 0 | 1 {
  let left = firstA;
  let right = firstB;
  while (left.kind === right.kind) {
    const order = compareValues(left, right);
    if (order !== 0 || kinds[left.kind] <= kinds.end) return order;
    left = nextToken(a, left);
    right = nextToken(b, right);
  }
  if (isPreRelease(left)) return -1;
  if (isPreRelease(right)) return 1;
  return kinds[left.kind] < kinds[right.kind] ? -1 : 1;
}

function compareValues(left: Token, right: Token): -1 | 0 | 1 {
  switch (left.kind) {
    case 'end':
    case 'malformedRevision':
      return 0;
    case 'suffix':
      return sign(suffixes.indexOf(left.text) - suffixes.indexOf(right.text));
    case 'firstNumber':
    case 'suffixNumber':
    case 'revision':
      return compareNumbers(left.text, right.text);
    case 'number':
      // A zero in front makes both sides text, as after a decimal point: 1.05 < 1.1.
      return left.text.startsWith('0') || right.text.startsWith('0')
        ? compareTexts(left.text, right.text)
        : compareNumbers(left.text, right.text);
    default:
      return compareTexts(left.text, right.text);
  }
}

function firstToken(text: string): Token {
  const digits = match(digitsPattern, text, 0);
  return digits === ''
    ? { kind: 'malformed', text, next: text.length }
    : { kind: 'firstNumber', text: digits, next: digits.length };
}

function nextToken(text: string, previous: Token): Token {
  const at = previous.next;
  if (at >= text.length) return { kind: 'end', text: '', next: at };
  const inNumbers = previous.kind === 'firstNumber' || previous.kind === 'number';
  const before = kinds[previous.kind];
  const character = text.charAt(at);
  if (character === '.' && inNumbers) {
    const digits = match(digitsPattern, text, at + 1);
    if (digits !== '') return { kind: 'number', text: digits, next: at + 1 + digits.length };
  } else if (character >= '0' && character <= '9' && previous.kind === 'suffix') {
    const digits = match(digitsPattern, text, at);
    return { kind: 'suffixNumber', text: digits, next: at + digits.length };
  } else if (character >= 'a' && character <= 'z' && inNumbers) {
    return { kind: 'letter', text: character, next: at + 1 };
  } else if (character === '_' && before >= kinds.suffixNumber) {
    const word = match(wordPattern, text, at + 1);
    if (word !== 'none' && suffixes.includes(word)) {
      return { kind: 'suffix', text: word, next: at + 1 + word.length };
    }
  } else if (character === '~' && before > kinds.hash) {
    const hash = match(hexPattern, text, at + 1);
    if (hash !== '') return { kind: 'hash', text: hash, next: at + 1 + hash.length };
  } else if (character === '-' && before > kinds.revision) {
    revisionPattern.lastIndex = at;
    const revision = revisionPattern.exec(text);
    return revision === null
      ? { kind: 'malformedRevision', text: '', next: text.length }
      : { kind: 'revision', text: revision[1] ?? '', next: text.length };
  }
  return { kind: 'malformed', text: text.slice(at), next: text.length };
}

function isPreRelease(token: Token): boolean {
  return token.kind === 'suffix' && suffixes.indexOf(token.text) < firstPostSuffix;
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

/** Decimal numbers of any length; no digits count as 0. */
function compareNumbers(a: string, b: string): -1 | 0 | 1 {
  const left = withoutLeadingZeros(a);
  const right = withoutLeadingZeros(b);
  return left.length === right.length ? compareTexts(left, right) : sign(left.length - right.length);
}

function withoutLeadingZeros(digits: string): string {
  let start = 0;
  while (digits[start] === '0') start += 1;
  return digits.slice(start);
}

function compareTexts(a: string, b: string): -1 | 0 | 1 {
  return a === b ? 0 : a < b ? -1 : 1;
}

function sign(value: number): -1 | 0 | 1 {
  return value === 0 ? 0 : value < 0 ? -1 : 1;
}
