/** A process that serves a built app with queues in memory: `node built-app-entry.ts FOLDER`. Prints the address and
 *  the functions as one line of JSON, stops when its input ends. */
import { once } from 'node:events';
import { startRunner } from '../../shared/local/runner/runner.ts';
import { silentLog } from '../../shared/ports/log.ts';
import { createMemoryQueueSource } from '../local/runner/memory-queue-source.ts';

const appDir = process.argv[2];
if (appDir === undefined) {
  throw new Error('expected the folder of a built app, found no argument');
}
const runner = await startRunner({
  appDir,
  port: 0,
  queues: createMemoryQueueSource(),
  timers: false,
  log: silentLog,
});
process.stdout.write(`${JSON.stringify({ url: runner.url, functions: runner.functions })}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
await runner.stop();
process.exit(0);
