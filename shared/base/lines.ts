/** Lines of a text that comes in chunks. */

/** The lines of a UTF-8 text, in batches of whatever one chunk ended, so that a file of a million lines does not cost a
 *  million awaits. `\n` and `\r\n` end a line; bytes that are no UTF-8 become U+FFFD. A line longer than maxLineLength
 *  characters is cut there, so that memory stays bounded whatever the text holds. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLineLength: number,
): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxLineLength + 1);
    if (lines.length > 0) yield lines.map((line) => finishLine(line, maxLineLength));
  }
  rest += decoder.decode();
  if (rest !== '') yield [finishLine(rest, maxLineLength)];
}

function finishLine(line: string, maxLineLength: number): string {
  const end = line.endsWith('\r') ? line.length - 1 : line.length;
  return line.slice(0, Math.min(end, maxLineLength));
}
