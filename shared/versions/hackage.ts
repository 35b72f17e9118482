/** Haskell's version order: Cabal's lists of numbers, used by Hackage and GHC. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders numbers without zeros in front, between single dots (Cabal's grammar of `version`); of two that begin alike
 *  the longer is above, `1.0` below `1.0.0`. */
export const hackageOrder: VersionOrder = {
  name: 'hackage',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) return undefined;
    for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
      const order = compareDigits(left[index] ?? '', right[index] ?? '');
      if (order !== 0) return order;
    }
    return left.length === right.length ? 0 : left.length < right.length ? -1 : 1;
  },
};

const versionPattern = /^(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*$/;

function parse(text: string): readonly string[] | undefined {
  return text.length <= maxVersionLength && versionPattern.test(text) ? text.split('.') : undefined;
}
