/** Conda's version order: VersionOrder of conda, `[epoch!]version[+local]`. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders what conda accepts in ASCII, without regard to case: parts between `.`, `_` or `-`, each runs of digits and of
 *  other characters. Texts are below numbers, `dev` below all texts, `post` above all numbers, and what is missing is 0. */
export const condaOrder: VersionOrder = {
  name: 'conda',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) return undefined;
    return (
      compareDigits(left.epoch, right.epoch) ||
      compareParts(left.version, right.version) ||
      compareParts(left.local, right.local)
    );
  },
};

type Part = readonly string[];

interface CondaVersion {
  readonly epoch: string;
  readonly version: readonly Part[];
  readonly local: readonly Part[];
}

const versionPattern = /^(?:([0-9]+)!)?([*._0-9a-z]+)(?:\+([*._0-9a-z]+))?$/;
const runPattern = /[0-9]+|[*]+|[^0-9*]+/g;

function parse(text: string): CondaVersion | undefined {
  if (text.length > maxVersionLength) return undefined;
  const lower = text.trim().toLowerCase();
  const found = versionPattern.exec(lower.includes('_') ? lower : lower.replaceAll('-', '_'));
  if (found === null) return undefined;
  const [, epoch = '0', versionText = '', localText] = found;
  const version = partsOf(versionText, versionText.endsWith('_'));
  const local = localText === undefined ? [] : partsOf(localText, false);
  return version === undefined || local === undefined ? undefined : { epoch, version, local };
}

/** Undefined where a part is empty. An underscore that ends the version, but not one that ends the local part, belongs to
 *  the last part: OpenSSL's `1.0.1_` is below `1.0.1a`. */
function partsOf(text: string, endsOpen: boolean): readonly Part[] | undefined {
  const parts = (endsOpen ? text.slice(0, -1) : text).split(/[._]/);
  if (parts.includes('') && !(endsOpen && parts.indexOf('') === parts.length - 1)) return undefined;
  return parts.map((part, index) => {
    const runs = (endsOpen && index === parts.length - 1 ? `${part}_` : part).match(runPattern) ?? [];
    return isDigits(runs[0] ?? '') ? runs : ['0', ...runs];
  });
}

function compareParts(a: readonly Part[], b: readonly Part[]): -1 | 0 | 1 {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const left = a[index] ?? [];
    const right = b[index] ?? [];
    for (let run = 0; run < Math.max(left.length, right.length); run += 1) {
      const order = compareRuns(left[run] ?? '0', right[run] ?? '0');
      if (order !== 0) return order;
    }
  }
  return 0;
}

/** Texts below numbers below `post`. */
function compareRuns(a: string, b: string): -1 | 0 | 1 {
  const difference = rankOf(a) - rankOf(b);
  if (difference !== 0) return difference < 0 ? -1 : 1;
  if (isDigits(a)) return compareDigits(a, b);
  const left = textOf(a);
  const right = textOf(b);
  return left === right ? 0 : left < right ? -1 : 1;
}

function rankOf(run: string): number {
  if (run === 'post') return 2;
  return isDigits(run) ? 1 : 0;
}

/** Upper case puts `dev` between `*` and all other texts. */
function textOf(run: string): string {
  return run === 'dev' ? 'DEV' : run;
}

function isDigits(run: string): boolean {
  const code = run.charCodeAt(0);
  return code >= 48 && code <= 57;
}
