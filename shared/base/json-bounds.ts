/** Bounds on JSON from outside, told from its bytes before anything is made of them: a text of `[],[],[]…` costs some
 *  fifty times its size once it is parsed, and a deep one far more. */

export interface JsonBounds {
  /** Most values in all, the names of members counted too. */
  readonly maxValues: number;
  readonly maxDepth: number;
}

/** Which bound the text exceeds and by what, as `more than 1000 values`; undefined where it keeps both. Ill-formed texts
 *  are counted as far as they go: parsing tells of the rest. */
export function excessOfJson(bytes: Uint8Array, bounds: JsonBounds): string | undefined {
  let values = 1;
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (isInString) {
      if (byte === backslash) at += 1;
      else if (byte === quote) isInString = false;
      continue;
    }
    switch (byte) {
      case quote:
        isInString = true;
        break;
      case openBracket:
      case openBrace:
        values += 1;
        depth += 1;
        if (depth > bounds.maxDepth) return `more than ${bounds.maxDepth} levels`;
        break;
      case closeBracket:
      case closeBrace:
        depth -= 1;
        break;
      case comma:
      case colon:
        values += 1;
        break;
      default:
        break;
    }
    if (values > bounds.maxValues) return `more than ${bounds.maxValues} values`;
  }
  return undefined;
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
