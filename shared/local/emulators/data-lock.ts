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
    if (isRunning(owner.pid)) {
      throw new PlimsollError(
        'CONFLICT',
        `the data folder ${dataDir} is in use by process ${owner.pid}: stop it, or name another folder with --data`,
      );
    }
    const untilMs = Date.now() + waitForChildrenMs;
    while (owner.children.some(isRunning) && Date.now() < untilMs) await sleep(50);
    await rm(path, { force: true });
    if ((await takeOrRead(path)) !== undefined) {
      throw new PlimsollError(
        'CONFLICT',
        `the data folder ${dataDir} was taken by another process meanwhile`,
      );
    }
  }
  return {
    name: (children) => writeFile(path, JSON.stringify({ pid: process.pid, children })),
    release: () => rm(path, { force: true }),
  };
}

const ownerSchema = z.object({
  pid: z.number().int().positive(),
  children: z.array(z.number().int().positive()),
});

/** Undefined where the lock was free and is now ours. */
async function takeOrRead(path: string): Promise<z.infer<typeof ownerSchema> | undefined> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(JSON.stringify({ pid: process.pid, children: [] }));
    await file.close();
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return readOwner(path);
}

/** A lock that cannot be read was being written when its owner died. */
async function readOwner(path: string): Promise<z.infer<typeof ownerSchema>> {
  const nobody = { pid: 2 ** 31 - 1, children: [] };
  try {
    const parsed = ownerSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : nobody;
  } catch (error) {
    if (error instanceof SyntaxError) return nobody;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return nobody;
    throw error;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, for somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
