/** Runs the plimsoll command as a user does: as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

export interface CommandResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Added to PATH and HOME; the rest of this process's environment is not handed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Where stdout goes instead of into the result. */
  readonly stdoutTo?: string;
  readonly onStart?: (child: ChildProcess) => void;
}

/** Longest that a test of a few commands takes where all cores are busy. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** Compiled code is kept from one command to the next: most of a short command's time goes into it. */
const compileCache = join(tmpdir(), 'plimsoll-test-compile-cache');

const entry = fileURLToPath(new URL('../../shared/cli/main.ts', import.meta.url));

/** Resolves once the process has ended and its output was read. */
export function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = spawn(process.execPath, [entry, ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      NODE_COMPILE_CACHE: compileCache,
      ...options.env,
    },
    stdio: ['pipe', options.stdoutTo === undefined ? 'pipe' : openSync(options.stdoutTo, 'w'), 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  child.stdin?.on('error', () => {}).end(options.stdin ?? '');
  options.onStart?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, ...output }));
  });
}

/** What every refusal looks like: exit code 2, nothing on stdout, one line on stderr. */
export function isRefusal(result: CommandResult): boolean {
  return result.exitCode === 2 && result.stdout === '' && /^plimsoll: [^\n]+\n$/.test(result.stderr);
}
