/** Who has the data folder: a process that runs, and never one that only has the number of another. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder } from '../../shared/local/emulators/data-lock.ts';

let folder = '';
let lockFile = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plimsoll-lock-'));
  lockFile = join(folder, 'emulators.lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a data folder', () => {
  it('is refused while the process that took it runs', async () => {
    const lock = await lockDataFolder(folder);
    await lock.name([]);
    await expect(lockDataFolder(folder)).rejects.toMatchObject({ code: 'CONFLICT' });
    await lock.release();
    await (await lockDataFolder(folder)).release();
  });

  it('is free once that process has ended, although nobody released it', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    await writeFile(lockFile, JSON.stringify({ pid: child.pid, mark: '1', children: [] }));
    await expect(lockDataFolder(folder)).resolves.toBeDefined();
  });

  it.each(['', '{', '{"pid":"x"}', '[]'])('is free where the lock holds %j', async (text) => {
    await writeFile(lockFile, text);
    await expect(lockDataFolder(folder)).resolves.toBeDefined();
  });

  it.skipIf(process.platform !== 'linux')(
    'is free where another process has the number of the one that took it (known on Linux alone)',
    async () => {
      await (await lockDataFolder(folder)).name([]);
      const taken = JSON.parse(await readFile(lockFile, 'utf8'));
      await writeFile(lockFile, JSON.stringify({ ...taken, mark: '1' }));
      await expect(lockDataFolder(folder)).resolves.toBeDefined();
    },
  );

  it.skipIf(process.platform !== 'linux')(
    'is free where that process has ended and nobody waited for it (known on Linux alone)',
    async () => {
      // The shell starts a process, becomes one that waits for nothing, and so leaves a zombie.
      const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60']);
      try {
        const [line] = await once(parent.stdout, 'data');
        const pid = Number(String(line));
        await expect.poll(() => readFile(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) Z /);
        const started = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[21];
        await writeFile(lockFile, JSON.stringify({ pid, mark: started, children: [pid] }));
        await expect(lockDataFolder(folder)).resolves.toBeDefined();
      } finally {
        parent.kill('SIGKILL');
      }
    },
  );
});
