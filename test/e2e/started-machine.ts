/** Starts `npm start` as a person at a terminal does, and ends it by Ctrl-C or harder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const launcher = fileURLToPath(new URL('../../.ci/launch.mjs', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartedMachine {
  readonly apiUrl: string;
  readonly registryHost: string;
  readonly webhookToken: string;
  /** Signs what subscriptions are told that name the secret `subscription-local`. */
  readonly subscriptionSecret: string;
  /** What it printed until it was ready. */
  readonly stdout: string;
  /** The launcher, the program, its emulators: all that must be gone afterwards. */
  readonly pids: readonly number[];
  /** Ctrl-C: the terminal sends SIGINT to the whole group. */
  interrupt(): Promise<Ended>;
  /** SIGKILL of the launcher and the program at once. */
  kill(): Promise<void>;
}

/** Removed with everything in it by `cleanUp`. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plimsoll-e2e-'));
  folders.push(folder);
  return folder;
}

/** Kills what is left of the starts of this process, and removes the folders. */
export async function cleanUp(): Promise<void> {
  for (const one of running.splice(0)) killGroup(one);
  await Promise.all(
    folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 20 })),
  );
}

const folders: string[] = [];
const running: ChildProcess[] = [];

/** Runs `npm start -- ARGS` until it ends by itself. */
export async function runStart(args: readonly string[]): Promise<Ended> {
  return spawnStart(args).ended;
}

/** Runs `npm start -- --data FOLDER --port PORT ARGS` until it is ready; the port is a free one where none is given.
 *  Throws with what it said where it ends before. */
export async function startMachine(
  dataDir: string,
  options: { readonly port?: number; readonly args?: readonly string[] } = {},
): Promise<StartedMachine> {
  const { port = await freePortPair(), args = [] } = options;
  const { child, said, ended } = spawnStart(['--data', dataDir, '--port', String(port), ...args]);
  const isReady = () => said.stdout.includes('Ctrl-C stops');
  await Promise.race([waitUntil('npm start is ready', async () => isReady()), ended]);
  if (!isReady()) throw new Error(`npm start ended or is not ready: ${said.stdout}\n${said.stderr}`);
  const { pid, children } = lockSchema.parse(
    JSON.parse(readFileSync(join(dataDir, 'emulators.lock'), 'utf8')),
  );
  return {
    apiUrl: `http://127.0.0.1:${port}/api`,
    registryHost: `127.0.0.1:${port + 1}`,
    webhookToken: found(/Authorization: Bearer (\S+)/, said.stdout),
    subscriptionSecret: found(/subscription-local is (\S+)/, said.stdout),
    stdout: said.stdout,
    pids: [child.pid ?? 0, pid, ...children],
    async interrupt() {
      process.kill(-(child.pid ?? 0), 'SIGINT');
      return ended;
    },
    async kill() {
      killGroup(child);
      await ended;
    },
  };
}

/** Asks every 50 ms until the answer is neither false nor undefined. Throws after the limit, naming what was waited for. */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  limitMs = 60_000,
): Promise<T> {
  const deadlineMs = performance.now() + limitMs;
  while (performance.now() < deadlineMs) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await sleep(50);
  }
  throw new Error(`waited ${limitMs} ms in vain until ${what}`);
}

export async function freePort(): Promise<number> {
  return (await listenOn(0)) ?? 0;
}

const lockSchema = z.object({ pid: z.number(), children: z.array(z.number()) });

function spawnStart(args: readonly string[]) {
  const child = spawn(process.execPath, [launcher, 'start', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, as a terminal gives to each command.
    detached: true,
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' },
  });
  running.push(child);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code]): Ended => {
    running.splice(running.indexOf(child), 1);
    return { code: typeof code === 'number' ? code : null, ...said };
  });
  return { child, said, ended };
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** A port that is free and whose neighbour is free too: the registry takes the next one. */
export async function freePortPair(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const port = await freePort();
    if (port < 65_535 && (await listenOn(port + 1)) !== undefined) return port;
  }
  throw new Error('found no two free ports side by side');
}

/** The port once it was listened on and let go again; undefined where it is taken. */
async function listenOn(port: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : undefined));
    });
  });
}

function found(pattern: RegExp, text: string): string {
  const word = pattern.exec(text)?.[1];
  if (word === undefined) throw new Error(`expected ${pattern} in what npm start printed, found ${text}`);
  return word;
}
