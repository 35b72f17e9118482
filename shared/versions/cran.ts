/** The order of R's packages: utils::compareVersion, used by CRAN and Bioconductor. */
import { compareDigits } from '../base/digits.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders numbers between single dots or dashes; of two that begin alike the longer is above, `1.0` below `1.0.0`. */
export const cranOrder: VersionOrder = {
  name: 'cran',
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

const versionPattern = /^[0-9]+(?:[.-][0-9]+)*$/;

function parse(text: string): readonly string[] | undefined {
  return text.length <= maxVersionLength && versionPattern.test(text) ? text.split(/[.-]/) : undefined;
}
