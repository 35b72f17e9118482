/** Packagist's version order: Composer normalises a version, and PHP's version_compare orders the result. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders what Composer's VersionParser normalises: up to four numbers or a date, a stability, `-dev`; numeric branches
 *  (`1.x-dev`); build metadata does not count. A named branch (`dev-main`) is below every number, and two different ones
 *  have no order between them. */
export const packagistOrder: VersionOrder = {
  name: 'packagist',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) return undefined;
    if (typeof left === 'string' || typeof right === 'string') {
      if (typeof left !== typeof right) return typeof left === 'string' ? -1 : 1;
      return left === right ? 0 : undefined;
    }
    for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
      const order = compareParts(left[index], right[index]);
      if (order !== 0) return order;
    }
    return 0;
  },
};

/** What version_compare sees, part by part; a text is the name of a branch. */
type ComposerVersion = readonly string[] | string;

/** A run of digits has one way to match: with an optional separator before each, time would double with every digit. */
const modifier = '[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)([.-]?[0-9]+(?:[.-][0-9]+)*)?)?([.-]?dev)?';
const classicalPattern = new RegExp(
  `^v?([0-9]{1,5})(?:\\.([0-9]+))?(?:\\.([0-9]+))?(?:\\.([0-9]+))?${modifier}$`,
);
const datePattern = new RegExp(`^v?([0-9]{4}(?:[.:-]?[0-9]{2}){1,6}(?:[.:-]?[0-9]{1,3})?)${modifier}$`);
const branchPattern = /^v?([0-9]+)(?:\.([0-9]+|[x*]))?(?:\.([0-9]+|[x*]))?(?:\.([0-9]+|[x*]))?[.-]?dev$/;
const textPattern = /^[!-~]+$/;
const buildPattern = /^([^,+]+)\+.+$/;
const branchNames = ['master', 'trunk', 'default'];
const numberOfBranch = '9999999';
const classicalCount = 4;

function parse(text: string): ComposerVersion | undefined {
  if (text.length > maxVersionLength || !textPattern.test(text)) return undefined;
  if (branchNames.includes(text)) return `dev-${text}`;
  const lower = text.toLowerCase();
  // Names of branches keep their case.
  if (lower.startsWith('dev-')) return `dev-${text.slice(4)}`;
  return parseNumbers(buildPattern.exec(lower)?.[1] ?? lower);
}

function parseNumbers(text: string): ComposerVersion | undefined {
  const classical = classicalPattern.exec(text);
  if (classical !== null) {
    const numbers = classical.slice(1, 1 + classicalCount).map((part) => part ?? '0');
    return [...numbers, ...modifierParts(classical.slice(1 + classicalCount))];
  }
  const date = datePattern.exec(text);
  if (date !== null) return [...(date[1] ?? '').split(/[.:-]/), ...modifierParts(date.slice(2))];
  const branch = branchPattern.exec(text);
  if (branch === null) return undefined;
  return [
    ...branch
      .slice(1)
      .map((part) => (part === undefined || part === 'x' || part === '*' ? numberOfBranch : part)),
    'dev',
  ];
}

function modifierParts(groups: readonly (string | undefined)[]): readonly string[] {
  const [stability, numbers = '', dev] = groups;
  // Composer drops what follows `stable`, `-dev` too.
  if (stability === 'stable') return [];
  const parts = stability === undefined ? [] : [stability, ...numbers.split(/[.-]/).filter((n) => n !== '')];
  return dev === undefined ? parts : [...parts, 'dev'];
}

/** Forms from least to greatest; between `rc` and the patches stands the end of a version, below a further number. */
const ranks: ReadonlyMap<string, number> = new Map([
  ['dev', 0],
  ['alpha', 1],
  ['a', 1],
  ['beta', 2],
  ['b', 2],
  ['rc', 3],
  ['patch', 6],
  ['pl', 6],
  ['p', 6],
]);
const endRank = 4;
const numberRank = 5;

function compareParts(a: string | undefined, b: string | undefined): -1 | 0 | 1 {
  const left = rankOf(a);
  const right = rankOf(b);
  if (left !== right) return left < right ? -1 : 1;
  return left === numberRank && a !== undefined && b !== undefined ? compareDigits(a, b) : 0;
}

function rankOf(part: string | undefined): number {
  return part === undefined ? endRank : (ranks.get(part) ?? numberRank);
}
