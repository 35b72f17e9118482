/** Rows on their way into the index, grouped by ecosystem and packed, so that an import fits into memory. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { encodeRow, type RowText } from './index-format.ts';
import type { KeyedRow } from './osv-record.ts';

/** Text of one ecosystem that is held before it is packed: small, as there are some 1,500 ecosystems with suffixes. */
const chunkLength = 128 * 1024;

export class RowSpool {
  readonly #ecosystems = new Map<string, { lines: string[]; length: number; readonly chunks: Buffer[] }>();

  add({ key, row }: KeyedRow): void {
    const bar = key.indexOf('|');
    const ecosystem = key.slice(0, bar);
    let spooled = this.#ecosystems.get(ecosystem);
    if (spooled === undefined) {
      spooled = { lines: [], length: 0, chunks: [] };
      this.#ecosystems.set(ecosystem, spooled);
    }
    const line = `${JSON.stringify(key.slice(bar + 1))}\t${encodeRow(row)}`;
    spooled.lines.push(line);
    spooled.length += line.length;
    if (spooled.length >= chunkLength) {
      spooled.chunks.push(deflateRawSync(spooled.lines.join('\n'), { level: 1 }));
      spooled.lines = [];
      spooled.length = 0;
    }
  }

  ecosystems(): readonly string[] {
    return [...this.#ecosystems.keys()];
  }

  /** Hands over the rows of an ecosystem by package name and forgets them. */
  take(ecosystem: string): Map<string, RowText[]> {
    const packages = new Map<string, RowText[]>();
    const spooled = this.#ecosystems.get(ecosystem);
    if (spooled === undefined) return packages;
    this.#ecosystems.delete(ecosystem);
    for (let chunk = spooled.chunks.shift(); chunk !== undefined; chunk = spooled.chunks.shift()) {
      addLines(packages, inflateRawSync(chunk).toString('utf8').split('\n'));
    }
    addLines(packages, spooled.lines);
    return packages;
  }
}

function addLines(packages: Map<string, RowText[]>, lines: readonly string[]): void {
  for (const line of lines) {
    // JSON writes a tab inside a string as \t, so the first one ends the name.
    const tab = line.indexOf('\t');
    const name = JSON.parse(line.slice(0, tab)) as string;
    const rows = packages.get(name);
    if (rows === undefined) packages.set(name, [line.slice(tab + 1)]);
    else rows.push(line.slice(tab + 1));
  }
}
