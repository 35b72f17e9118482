/** Looks at other processes. */
import { existsSync, readFileSync } from 'node:fs';

/** Whether it runs. One that has ended and that nobody waited for is gone all the same: in containers it may stay so. */
export function isRunning(pid: number): boolean {
  if (existsSync('/proc/self/status')) {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
