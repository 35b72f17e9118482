/** Python's version order: the Version Specifiers specification (once PEP 440), with its normalisation. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders what `packaging` accepts in ASCII, white space around it included. Older texts such as `0.9-ivysaur`, which
 *  it refuses since its version 22, have no place. */
export const pep440Order: VersionOrder = {
  name: 'pep440',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) return undefined;
    return (
      compareDigits(left.epoch, right.epoch) ||
      compareReleases(left.release, right.release) ||
      sign(left.phase - right.phase) ||
      compareDigits(left.phaseNumber, right.phaseNumber) ||
      compareWhereMissingIs(-1, left.post, right.post) ||
      compareWhereMissingIs(1, left.dev, right.dev) ||
      compareLocals(left.local, right.local)
    );
  },
};

interface PythonVersion {
  readonly epoch: string;
  readonly release: readonly string[];
  /** Place in `phases`. */
  readonly phase: number;
  readonly phaseNumber: string;
  /** Undefined where the version is no post-release or no development release. */
  readonly post: string | undefined;
  readonly dev: string | undefined;
  readonly local: readonly string[];
}

/** A development release of a final version is below its pre-releases; `final` is every version without one. */
const phases = ['dev', 'a', 'b', 'rc', 'final'];
const phaseBySpelling: ReadonlyMap<string, string> = new Map([
  ['a', 'a'],
  ['alpha', 'a'],
  ['b', 'b'],
  ['beta', 'b'],
  ['c', 'rc'],
  ['rc', 'rc'],
  ['pre', 'rc'],
  ['preview', 'rc'],
]);

const versionPattern = new RegExp(
  '^\\s*v?(?:([0-9]+)!)?([0-9]+(?:\\.[0-9]+)*)' +
    '(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]+)?)?' +
    '(?:-([0-9]+)|([-_.]?(?:post|rev|r)[-_.]?([0-9]+)?))?' +
    '(?:[-_.]?(dev)[-_.]?([0-9]+)?)?' +
    '(?:\\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\\s*$',
);
const digitsPattern = /^[0-9]+$/;

function parse(text: string): PythonVersion | undefined {
  if (text.length > maxVersionLength) return undefined;
  const found = versionPattern.exec(text.toLowerCase());
  if (found === null) return undefined;
  const [, epoch = '0', release = '', pre, preNumber = '0', implicitPost, postText, postNumber] = found;
  const [dev, devNumber = '0', local] = found.slice(8);
  const post = implicitPost ?? (postText === undefined ? undefined : (postNumber ?? '0'));
  const named = pre === undefined ? undefined : phaseBySpelling.get(pre);
  return {
    epoch,
    release: release.split('.'),
    phase: phases.indexOf(named ?? (post === undefined && dev !== undefined ? 'dev' : 'final')),
    phaseNumber: preNumber,
    post,
    dev: dev === undefined ? undefined : devNumber,
    local: local?.split(/[-_.]/) ?? [],
  };
}

/** A missing number is 0. */
function compareReleases(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const order = compareDigits(a[index] ?? '', b[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function compareWhereMissingIs(missing: -1 | 1, a: string | undefined, b: string | undefined): -1 | 0 | 1 {
  if (a !== undefined && b !== undefined) return compareDigits(a, b);
  if (a === b) return 0;
  return a === undefined ? missing : missing === 1 ? -1 : 1;
}

/** Numbers are above texts, and the longer of two that begin alike is above. */
function compareLocals(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  for (let index = 0; ; index += 1) {
    const left = a[index];
    const right = b[index];
    if (left === undefined || right === undefined) {
      return left === right ? 0 : left === undefined ? -1 : 1;
    }
    const isNumberA = digitsPattern.test(left);
    const isNumberB = digitsPattern.test(right);
    if (isNumberA !== isNumberB) return isNumberA ? 1 : -1;
    const order = isNumberA ? compareDigits(left, right) : left === right ? 0 : left < right ? -1 : 1;
    if (order !== 0) return order;
  }
}

function sign(value: number): -1 | 0 | 1 {
  return value === 0 ? 0 : value < 0 ? -1 : 1;
}
