/** Decimal numbers of any length, compared without turning them into a number type. */

/** -1, 0 or 1 as the number a is below, equal to or above b. Both hold ASCII digits alone; zeros in front do not count,
 *  and no digits are 0. */
export function compareDigits(a: string, b: string): -1 | 0 | 1 {
  const left = withoutLeadingZeros(a);
  const right = withoutLeadingZeros(b);
  if (left.length !== right.length) return left.length < right.length ? -1 : 1;
  return left === right ? 0 : left < right ? -1 : 1;
}

function withoutLeadingZeros(digits: string): string {
  let start = 0;
  while (digits[start] === '0') start += 1;
  return digits.slice(start);
}
