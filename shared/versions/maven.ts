/** Maven's version order: ComparableVersion of maven-artifact 3.9, and the Version Order Specification of Maven's POM
 *  reference where the two differ. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders every text of letters, digits and `.`, `_`, `+`, `~`, `-`. In two places ComparableVersion answers in circles,
 *  and this order keeps to the specification: a qualifier between dots is one between dashes (`1.sp.1` is `1-sp.1`), and
 *  what is below the release (`1-0-rc`) is also below what is above it (`1-sp`). */
export const mavenOrder: VersionOrder = {
  name: 'maven',
  compare(a, b) {
    if (!isPlaced(a) || !isPlaced(b)) return undefined;
    return a === b ? 0 : compareLists(parse(a), parse(b));
  },
};

/** Versions are lists in lists: a dash, a qualifier and each change between digits and letters begin a list within. */
interface List {
  readonly kind: 'list';
  readonly items: readonly Item[];
  /** What its first item says: qualifiers up to `snapshot` are below the release. */
  readonly isBelowRelease: boolean;
}

interface Qualifier {
  readonly kind: 'qualifier';
  readonly text: string;
}

interface NumberItem {
  readonly kind: 'number';
  readonly digits: string;
}

type Item = List | Qualifier | NumberItem;

const placedPattern = /^[0-9A-Za-z._+~-]+$/;
const tokenPattern = /[0-9]+|[^0-9.-]+|[.-]/g;
const zerosPattern = /^0+$/;

/** From least to greatest; a qualifier that is not here is above all of them. */
const qualifiers = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'];
const releaseRank = qualifiers.indexOf('');
const aliases: ReadonlyMap<string, string> = new Map([
  ['ga', ''],
  ['final', ''],
  ['release', ''],
  ['cr', 'rc'],
]);
const shortNames: ReadonlyMap<string, string> = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['m', 'milestone'],
]);

function isPlaced(text: string): boolean {
  return text.length <= maxVersionLength && placedPattern.test(text);
}

/** The lists from the outermost to the innermost: each but the first is the last item of the one before. */
function parse(text: string): List {
  let current: Item[] = [];
  const lists = [current];
  const open = (): void => {
    current = [];
    lists.push(current);
  };
  let previous = '';
  const tokens = text.toLowerCase().match(tokenPattern) ?? [];
  tokens.forEach((token, index) => {
    if (isSeparator(token)) {
      if (previous === '' || isSeparator(previous)) current.push({ kind: 'number', digits: '0' });
      if (token === '-') open();
    } else if (isDigits(token)) {
      if (previous !== '' && !isSeparator(previous)) open();
      current.push({ kind: 'number', digits: token });
    } else {
      if (current.length > 0) open();
      current.push({ kind: 'qualifier', text: qualifierOf(token, isDigits(tokens[index + 1] ?? '')) });
    }
    previous = token;
  });
  return nest(lists);
}

function isSeparator(token: string): boolean {
  return token === '.' || token === '-';
}

function isDigits(token: string): boolean {
  const code = token.charCodeAt(0);
  return code >= 48 && code <= 57;
}

/** Drops from each list what is nothing at its end or before the list within, and puts that list at its end. */
function nest(lists: readonly Item[][]): List {
  let inner: List = { kind: 'list', items: [], isBelowRelease: false };
  for (const items of lists.toReversed()) {
    while (isNothing(items.at(-1))) items.pop();
    if (inner.items.length > 0) items.push(inner);
    inner = { kind: 'list', items, isBelowRelease: isBelowRelease(items[0]) };
  }
  return inner;
}

function isNothing(item: Item | undefined): boolean {
  if (item?.kind === 'number') return item.digits.startsWith('0') && zerosPattern.test(item.digits);
  return item?.kind === 'qualifier' && item.text === '';
}

function qualifierOf(letters: string, isBeforeDigits: boolean): string {
  const name = isBeforeDigits ? (shortNames.get(letters) ?? letters) : letters;
  return aliases.get(name) ?? name;
}

/** Walks the two chains of lists side by side; a list within is always the last of its items. */
function compareLists(a: List, b: List): -1 | 0 | 1 {
  let left: List | undefined = a;
  let right: List | undefined = b;
  while (left !== undefined && right !== undefined) {
    const count = Math.max(left.items.length, right.items.length);
    let innerLeft: List | undefined;
    let innerRight: List | undefined;
    for (let index = 0; index < count; index += 1) {
      const itemA: Item | undefined = left.items[index];
      const itemB: Item | undefined = right.items[index];
      if (itemA?.kind === 'list' && itemB?.kind === 'list' && itemA.isBelowRelease === itemB.isBelowRelease) {
        innerLeft = itemA;
        innerRight = itemB;
        continue;
      }
      const order = compareItems(itemA, itemB);
      if (order !== 0) return order;
    }
    left = innerLeft;
    right = innerRight;
  }
  return 0;
}

function compareItems(a: Item | undefined, b: Item | undefined): -1 | 0 | 1 {
  const difference = levelOf(a) - levelOf(b);
  if (difference !== 0) return difference < 0 ? -1 : 1;
  if (a?.kind === 'number' && b?.kind === 'number') return compareDigits(a.digits, b.digits);
  if (a?.kind !== 'qualifier' || b?.kind !== 'qualifier') return 0;
  const left = rankOf(a.text);
  const right = rankOf(b.text);
  if (left !== right) return left < right ? -1 : 1;
  return a.text === b.text ? 0 : a.text < b.text ? -1 : 1;
}

/** Levels at one place, from least to greatest; 2 is the end of the list. A number that is kept is above the end, even
 *  0, because something follows it. */
function levelOf(item: Item | undefined): number {
  if (item === undefined) return 2;
  if (item.kind === 'number') return 5;
  const isBelow = isBelowRelease(item);
  return item.kind === 'qualifier' ? (isBelow ? 0 : 3) : isBelow ? 1 : 4;
}

function isBelowRelease(item: Item | undefined): boolean {
  if (item?.kind === 'list') return item.isBelowRelease;
  return item?.kind === 'qualifier' && rankOf(item.text) < releaseRank;
}

function rankOf(qualifier: string): number {
  const rank = qualifiers.indexOf(qualifier);
  return rank < 0 ? qualifiers.length : rank;
}
