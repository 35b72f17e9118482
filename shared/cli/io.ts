/** What a command may touch of the process, and the exit codes: a command gets this value and returns its exit code. */

/** Exit codes of every command (contracts: command line). */
export const exitCodes = {
  /** The verdict is `pass` or `warn`, or the command did what it was asked. */
  done: 0,
  /** The verdict is `fail`. */
  fail: 1,
  /** No verdict: wrong usage, unreachable, unreadable. */
  unanswered: 2,
  /** The gate still says `pending`. */
  pending: 3,
} as const;

/** A command: its arguments without its own name, and the exit code that it comes to. It throws PlimsollError for
 *  whatever a person can act on; main.ts makes that one line on stderr and exit code 2. */
export type Command = (args: readonly string[], io: CommandIo) => Promise<number>;

export interface CommandIo {
  /** Writes to stdout (the report alone) and resolves once more may be written. A reader that went away is no error. */
  readonly out: (data: string | Uint8Array) => Promise<void>;
  /** Writes to stderr: errors as one line with its line end, and progress where stderr is a terminal. */
  readonly err: (text: string) => void;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Width of the terminal on stdout in columns; undefined where stdout is none. */
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C and by SIGTERM. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/** The process as a CommandIo. The only reader of process.env in the command line. */
export function processIo(signal: AbortSignal): CommandIo {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `plimsoll … | head` closes the pipe: what was still to be written is not wanted, and the exit code stays ours.
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return {
    out: writeOut,
    err: (text) => {
      if (process.stderr.writable) process.stderr.write(text);
    },
    // Opening stdin costs time that a command without need of it should not pay.
    get stdin() {
      return process.stdin;
    },
    stdoutIsTerminal: process.stdout.isTTY === true,
    stderrIsTerminal: process.stderr.isTTY === true,
    // Some terminals say 0 for a width that they do not know.
    columns: process.stdout.isTTY === true ? process.stdout.columns || undefined : undefined,
    env: process.env,
    signal,
    now: () => new Date(),
  };
}

function writeOut(data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (!process.stdout.writable) {
      resolve();
      return;
    }
    // The callback's error is the one that the `error` listener has judged.
    process.stdout.write(data, () => resolve());
  });
}
