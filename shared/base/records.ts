/** Records of a text file: runs of lines between empty lines, reduced to the fields that are used. */
import { readLines } from './lines.ts';

/** Takes what it needs of one line into the fields of its record. */
export type LineReader = (line: string, fields: Map<string, string>) => void;

/** The records of a UTF-8 text, in batches. A line of blanks alone ends a record as an empty one does; lines past
 *  maxLineLength characters are cut. Only what the reader keeps is held, so that a record may have any length. */
export async function* readRecords(
  chunks: AsyncIterable<Uint8Array>,
  maxLineLength: number,
  readLine: LineReader,
): AsyncGenerator<readonly ReadonlyMap<string, string>[]> {
  let open: Map<string, string> | undefined;
  for await (const lines of readLines(chunks, maxLineLength)) {
    const ended: Map<string, string>[] = [];
    for (const line of lines) {
      if (line.trim() !== '') {
        open ??= new Map();
        readLine(line, open);
      } else if (open !== undefined) {
        ended.push(open);
        open = undefined;
      }
    }
    if (ended.length > 0) yield ended;
  }
  if (open !== undefined) yield [open];
}
