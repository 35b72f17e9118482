/** The emulator's side of its life: it says when it is ready, and goes when its parent goes. */
import { readyWord } from './child-process.ts';

/** Writes the line that the parent waits for. */
export function announceReady(ports: Readonly<Record<string, number>>): void {
  process.stdout.write(`${readyWord}${JSON.stringify(ports)}\n`);
}

/**
 * Runs `stop` once and ends the process when standard input closes (the parent ended, even by SIGKILL, or wants this to
 * stop) or at SIGTERM. SIGINT is the parent's business.
 */
export function stopWithParent(stop: () => Promise<void>): void {
  let isStopping = false;
  const end = (): void => {
    if (isStopping) return;
    isStopping = true;
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.stdin.on('end', end).on('close', end).on('error', end).resume();
  // The reading end of the pipes may be gone with the parent.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  process.on('SIGTERM', end);
  process.on('SIGINT', () => {});
}
