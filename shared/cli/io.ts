/** What a command may touch of the process, and the exit codes: a command gets this value and returns its exit code. */
import { PlimsollError } from '../domain/errors.ts';

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
  /** Writes to stdout (the report alone) and resolves once it is written. A reader that went away is no error; throws
   *  INVALID_INPUT where it cannot be written otherwise (a full disk). */
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
  // Whoever writes judges what comes of it; without a listener an error ends the process with the exit code of `fail`.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
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
  return new Promise((resolve, reject) => {
    process.stdout.write(data, (error) => {
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      // `plimsoll … | head` closes the pipe: what was still to be written is not wanted, and the exit code stays ours.
      if (code === undefined || goneCodes.has(code)) resolve();
      else
        reject(
          new PlimsollError('INVALID_INPUT', `expected a stdout that can be written, found ${code}`, {
            cause: error,
          }),
        );
    });
  });
}

const goneCodes: ReadonlySet<string> = new Set(['EPIPE', 'ERR_STREAM_DESTROYED']);
