/** One line of progress on a terminal, rewritten in place and gone at the end. */
import type { CommandIo } from './io.ts';

/** Least time between two states of the line, in milliseconds: a terminal is slower than a layer. */
const intervalMs = 100;

export interface Progress {
  /** Shows the text, unless the last one was shown a moment ago. */
  show(text: () => string): void;
  /** Takes the line away. */
  end(): void;
}

/** Progress on stderr where that is a terminal and nobody asked for quiet; else progress that shows nothing. */
export function openProgress(io: CommandIo, quiet: boolean): Progress {
  if (quiet || !io.stderrIsTerminal) return { show: () => {}, end: () => {} };
  let shownAtMs = Number.NEGATIVE_INFINITY;
  const clearLine = '\r\u001B[K';
  return {
    show: (text) => {
      const nowMs = performance.now();
      if (nowMs - shownAtMs < intervalMs) return;
      shownAtMs = nowMs;
      io.err(`${clearLine}${text()}`);
    },
    end: () => {
      if (shownAtMs !== Number.NEGATIVE_INFINITY) io.err(clearLine);
    },
  };
}
