/** Keeps two starts from working in one data folder, also while the emulators of a killed one are still saving. */
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { PlimsollError } from '../../domain/errors.ts';

export interface DataLock {
  /** Names the processes that a next start has to wait for. */
  name(childPids: readonly number[]): Promise<void>;
  release(): Promise<void>;
}

/** How long the emulators of a start that was killed may take to save and go. */
const waitForChildrenMs = 15_000;

/** Takes the folder. Throws CONFLICT in one line where another process has it. */
export async function lockDataFolder(dataDir: string): Promise<DataLock> {
  const path = join(dataDir, 'emulators.lock');
  const owner = await takeOrRead(path);
  if (owner !== undefined) {
    const mark = await markOf(owner.pid);
    if (mark !== undefined && mark === owner.mark) {
      throw new PlimsollError(
        'CONFLICT',
        `the data folder ${dataDir} is in use by process ${owner.pid}: stop it, or name another folder with --data`,
      );
    }
    const untilMs = Date.now() + waitForChildrenMs;
    while ((await isAnyRunning(owner.children)) && Date.now() < untilMs) await sleep(50);
    await rm(path, { force: true });
    if ((await takeOrRead(path)) !== undefined) {
      throw new PlimsollError(
        'CONFLICT',
        `the data folder ${dataDir} was taken by another process meanwhile`,
      );
    }
  }
  return {
    name: async (children) => writeFile(path, await lockOf(children)),
    release: () => rm(path, { force: true }),
  };
}

const ownerSchema = z.object({
  pid: z.number().int().positive(),
  mark: z.string(),
  children: z.array(z.number().int().positive()),
});

/** Undefined where the lock was free and is now ours. */
async function takeOrRead(path: string): Promise<z.infer<typeof ownerSchema> | undefined> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(await lockOf([]));
    await file.close();
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return readOwner(path);
}

/** A lock that cannot be read was being written when its owner died. */
async function readOwner(path: string): Promise<z.infer<typeof ownerSchema>> {
  const nobody = { pid: 2 ** 31 - 1, mark: 'nobody', children: [] };
  try {
    const parsed = ownerSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : nobody;
  } catch (error) {
    if (error instanceof SyntaxError) return nobody;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return nobody;
    throw error;
  }
}

async function lockOf(children: readonly number[]): Promise<string> {
  return JSON.stringify({ pid: process.pid, mark: await markOf(process.pid), children });
}

async function isAnyRunning(pids: readonly number[]): Promise<boolean> {
  for (const pid of pids) if ((await markOf(pid)) !== undefined) return true;
  return false;
}

/** What tells a running process from a later one with the same number: when it started, or '' where the system does not
 *  say. Undefined where none runs, also where one has ended and nobody has waited for it, as happens in containers. */
async function markOf(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, for somebody else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return undefined;
  }
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
  // proc_pid_stat(5): state is field 3, start time field 22; the name before them may hold blanks and parentheses.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : (fields[18] ?? '');
}
