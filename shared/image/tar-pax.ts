/** PAX extended header records (POSIX.1-2024, pax, "pax Extended Header"): only the keys that say where and how much. */
import { decodePath } from './tar-header.ts';

/** What the records override; a key that is absent overrides nothing. */
export interface PaxFields {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
  /** `GNU.sparse.*` without that prefix; `offset` and `numbytes` of version 0.0 are joined to `map`. */
  readonly sparse?: Readonly<Record<SparseKey, string | undefined>>;
}

export type SparseKey = 'major' | 'minor' | 'name' | 'realsize' | 'size' | 'map' | 'numblocks';

/**
 * Reads the records `<length> <key>=<value>\n`. An empty value removes what a global header said. Undefined where a
 * record is ill-formed or a size is no number.
 */
export function parsePax(data: Buffer, inherited: PaxFields): PaxFields | undefined {
  const fields: { path?: string; linkpath?: string; size?: number } = { ...inherited };
  let sparse: Partial<Record<SparseKey, string>> | undefined =
    inherited.sparse && removeAbsent(inherited.sparse);
  const pairs: string[] = [];
  for (let at = 0; at < data.length; ) {
    const record = readRecord(data, at);
    if (record === undefined) return undefined;
    at = record.end;
    const { key, value } = record;
    if (key === 'path' || key === 'linkpath') {
      if (value.length === 0) delete fields[key];
      else fields[key] = decodePath(value);
    } else if (key === 'size') {
      const size = decimal(value.toString('latin1'));
      if (value.length === 0) delete fields.size;
      else if (size === undefined) return undefined;
      else fields.size = size;
    } else if (key.startsWith(sparsePrefix)) {
      const name = key.slice(sparsePrefix.length);
      sparse ??= {};
      if (name === 'offset' || name === 'numbytes') pairs.push(value.toString('latin1'));
      else if (isSparseKey(name))
        sparse[name] = name === 'name' ? decodePath(value) : value.toString('latin1');
    }
  }
  if (pairs.length > 0 && sparse !== undefined) sparse.map = pairs.join(',');
  return sparse === undefined ? fields : { ...fields, sparse: { ...noSparse, ...sparse } };
}

/** Non-negative decimal number; undefined where it is none or past 2^53. */
export function decimal(text: string): number | undefined {
  if (!/^[0-9]{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

const sparsePrefix = 'GNU.sparse.';

const noSparse: Readonly<Record<SparseKey, string | undefined>> = {
  major: undefined,
  minor: undefined,
  name: undefined,
  realsize: undefined,
  size: undefined,
  map: undefined,
  numblocks: undefined,
};

function isSparseKey(name: string): name is SparseKey {
  return Object.hasOwn(noSparse, name);
}

function removeAbsent(sparse: NonNullable<PaxFields['sparse']>): Partial<Record<SparseKey, string>> {
  const present: Partial<Record<SparseKey, string>> = {};
  for (const key of Object.keys(sparse).filter(isSparseKey)) {
    const value = sparse[key];
    if (value !== undefined) present[key] = value;
  }
  return present;
}

function readRecord(
  data: Buffer,
  at: number,
): { readonly key: string; readonly value: Buffer; readonly end: number } | undefined {
  const space = data.indexOf(0x20, at);
  // A length has at most seven digits below maxMetadataBytes; searching further would be quadratic.
  if (space < 0 || space - at > 10) return undefined;
  const length = decimal(data.toString('latin1', at, space));
  if (length === undefined) return undefined;
  const end = at + length;
  if (end > data.length || end <= space + 1 || data[end - 1] !== 0x0a) return undefined;
  const equals = data.indexOf(0x3d, space + 1);
  if (equals < 0 || equals >= end) return undefined;
  return { key: data.toString('latin1', space + 1, equals), value: data.subarray(equals + 1, end - 1), end };
}
