/** Process entry: Azurite as it is, told to stop by its standard input instead of by a signal of the terminal. */
import { createRequire } from 'node:module';

// Azurite saves what it holds at SIGTERM and ends by itself once it has.
process.stdin.on('end', stop).on('close', stop).on('error', stop).resume();
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
process.on('SIGINT', () => {});

// It reads its options from the arguments of this process.
createRequire(import.meta.url)('azurite/dist/src/azurite.js');

function stop(): void {
  // Its own handlers stand only once it listens; before that there is nothing to save.
  if (process.listenerCount('SIGTERM') === 0) process.exit(0);
  process.kill(process.pid, 'SIGTERM');
}
