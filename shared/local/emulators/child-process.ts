/** Starts an emulator as a process of its own, waits until it is ready, and stops it without losing what it holds. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PlimsollError } from '../../domain/errors.ts';

export interface ChildOptions {
  /** For messages: `the document emulator`. */
  readonly name: string;
  /** Module that the process runs. */
  readonly entry: URL;
  readonly args: readonly string[];
  /** Added to this process's environment; arguments can be seen by every user of the machine, this cannot. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called for each line of its output; ready once it returns a value. */
  readonly readLine: (line: string) => Readonly<Record<string, number>> | undefined;
  readonly readyTimeoutMs?: number;
  readonly stopTimeoutMs?: number;
  /** Told when the process ends although nobody stopped it. */
  readonly onUnexpectedEnd?: (error: PlimsollError) => void;
}

export interface Child {
  /** What readLine returned: the ports it listens on. */
  readonly ports: Readonly<Record<string, number>>;
  readonly pid: number;
  /** Asks it to stop, waits for it, and kills it only when it does not within stopTimeoutMs. Safe to call twice. */
  stop(): Promise<void>;
}

/** Ports from the line that announceReady writes. */
export function readReadyLine(line: string): Readonly<Record<string, number>> | undefined {
  if (!line.startsWith(readyWord)) return undefined;
  return JSON.parse(line.slice(readyWord.length)) as Record<string, number>;
}

/** First word of the line by which an emulator says that it listens. */
export const readyWord = 'ready ';

/**
 * The child's standard input is a pipe that closes when this process ends, however it ends: that is its order to stop.
 * It gets no SIGINT of the terminal, so that the app can finish its work before its emulators go.
 * Throws SERVER_UNREACHABLE with what it said last where it does not get ready.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = spawn(process.execPath, [...quietFlags, fileURLToPath(options.entry), ...options.args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    windowsHide: true,
    // An emulator must not inherit a debugger port or the app's preloads.
    env: { ...process.env, ...options.env, NODE_OPTIONS: '' },
  });
  const said: string[] = [];
  let isStopping = false;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}`));
  });
  // Writing to a process that is gone must not end this one.
  child.stdin.on('error', () => {});

  const ready = new Promise<Readonly<Record<string, number>>>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const ports = options.readLine(line);
      if (ports !== undefined) resolve(ports);
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      if (said.length > linesKept) said.shift();
    });
  });

  async function stop(): Promise<void> {
    isStopping = true;
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), options.stopTimeoutMs ?? 10_000);
    await ended;
    clearTimeout(timer);
  }

  const readyTimeoutMs = options.readyTimeoutMs ?? 30_000;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it was not ready after ${readyTimeoutMs} ms`), readyTimeoutMs);
  });
  const outcome = await Promise.race([ready, ended, tooLate]);
  clearTimeout(timer);
  if (typeof outcome === 'string' || child.pid === undefined) {
    await stop();
    throw failure(options.name, typeof outcome === 'string' ? outcome : 'it has no process id', said);
  }
  void ended.then((reason) => {
    if (!isStopping) options.onUnexpectedEnd?.(failure(options.name, reason, said));
  });
  return { ports: outcome, pid: child.pid, stop };
}

/** Lines of standard error kept for the message of a failure. */
const linesKept = 20;
const quietFlags = [
  '--disable-warning=ExperimentalWarning',
  '--disable-warning=DEP0040',
  '--disable-warning=DEP0169',
];

function failure(name: string, reason: string, said: readonly string[]): PlimsollError {
  const detail = said.length === 0 ? '' : `; it said: ${said.join(' | ').slice(-1000)}`;
  return new PlimsollError('SERVER_UNREACHABLE', `${name} did not stay up: ${reason}${detail}`);
}
