/** How fast the webhook answers while queue functions are paused: `npm run bench:webhook -- [RUNS] [--save] [--note TEXT]`.
 *  Everything is as with `npm start`; the load comes from a process of its own. Ends with 1 where the owner's limit is missed, or
 *  where a 202 was not on the queue. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { createIdentity } from '../shared/azure/identity.ts';
import { createStorageQueues } from '../shared/azure/storage-queues.ts';
import { createReadyMachine, type Machine } from '../shared/local/machine.ts';
import { parseStartOptions } from '../shared/local/start-options.ts';
import type { LoadOrder, LoadResult } from './webhook-load.ts';

/** The owner's limits. */
const limitP99Ms = 50;
const ratePerSecond = 200;

const seconds = 20;
const warmUpSeconds = 5;
const port = 17_171;

interface Row {
  readonly sent: number;
  readonly accepted: number;
  readonly enqueued: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly latestSendMs: number;
  readonly load: number;
}

const { values, positionals } = parseArgs({
  options: { save: { type: 'boolean' }, note: { type: 'string' } },
  allowPositionals: true,
});
const runs = Number(positionals[0] ?? 3);
const dataDir = await mkdtemp(join(tmpdir(), 'plimsoll-bench-'));
const machine = await createReadyMachine(
  parseStartOptions(['--no-sample', '--data', dataDir, '--port', String(port)]),
  {
    say: () => {},
    fail: (error) => {
      throw error;
    },
  },
);
try {
  const rows = await measure(machine);
  const text = render(rows);
  process.stdout.write(text);
  if (values.save === true) {
    await writeFile(fileURLToPath(new URL('results/webhook.md', import.meta.url)), text);
  }
  const isGood = rows.every(
    (row) => row.p99Ms < limitP99Ms && row.accepted === row.sent && row.enqueued === row.sent,
  );
  process.exitCode = isGood ? 0 : 1;
} finally {
  await machine.stop();
  await rm(dataDir, { recursive: true, force: true });
}
process.exit();

async function measure({ runner, apiUrl, webhookToken, registryHost }: Machine): Promise<readonly Row[]> {
  const serviceUri = process.env['PLIMSOLL_QUEUE_SERVICE_URI'] ?? '';
  const credential = createIdentity(process.env['PLIMSOLL_IDENTITY_CLIENT_ID']);
  const queues = createStorageQueues({ serviceUri, credential });
  runner.pauseQueues();
  const order = {
    url: `${apiUrl}/webhooks/distribution`,
    token: webhookToken,
    registryHost,
    ratePerSecond,
  };
  await load({ ...order, seconds: warmUpSeconds });
  const rows: Row[] = [];
  for (let run = 0; run < runs; run += 1) {
    await clearQueue(serviceUri, credential);
    const { statuses, latenciesMs, latestSendMs } = await load({ ...order, seconds });
    const sorted = latenciesMs.toSorted((a, b) => a - b);
    rows.push({
      sent: latenciesMs.length,
      accepted: statuses['202'] ?? 0,
      enqueued: await queues.depth('image-events'),
      p50Ms: quantile(sorted, 0.5),
      p95Ms: quantile(sorted, 0.95),
      p99Ms: quantile(sorted, 0.99),
      maxMs: quantile(sorted, 1),
      latestSendMs,
      load: loadavg()[0] ?? 0,
    });
  }
  return rows;
}

/** Clear Messages: Azurite halts for its saving every few seconds, the longer the more it holds. */
async function clearQueue(serviceUri: string, credential: ReturnType<typeof createIdentity>): Promise<void> {
  const token = await credential.getToken('https://storage.azure.com/.default');
  const answer = await fetch(`${serviceUri}/image-events/messages`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token?.token}`, 'x-ms-version': '2024-11-04' },
  });
  if (!answer.ok) throw new Error(`clearing the queue was answered with ${answer.status}`);
}

async function load(order: LoadOrder): Promise<LoadResult> {
  const entry = fileURLToPath(new URL('webhook-load.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [entry, JSON.stringify(order)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as LoadResult;
}

/** The smallest value that so large a part of the values does not exceed. */
function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

function render(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const times = [row.p50Ms, row.p95Ms, row.p99Ms, row.maxMs, row.latestSendMs].map((ms) => ms.toFixed(1));
    return `| ${[row.sent, row.accepted, row.enqueued, ...times, row.load.toFixed(1)].join(' | ')} |`;
  });
  return `# The webhook

Made by \`npm run bench:webhook -- ${runs} --save\` with Node ${process.versions.node} on ${availableParallelism()} cores (${cpus()[0]?.model.trim()}),
which the load generator, the app, Azurite and whatever else ran shared. Queue functions paused; ${ratePerSecond} Distribution
notifications of manifest pushes a second for ${seconds} s after ${warmUpSeconds} s of warming up, each of another digest, sent in an open loop;
milliseconds from the moment at which a request was due to the end of its answer. Before each run the queue is emptied,
because Azurite halts for its saving every few seconds, the longer the more it holds; enqueued is what \`image-events\` holds
afterwards. Target: p99 under ${limitP99Ms} ms.${values.note === undefined ? '' : `\n${values.note}`}

| sent | 202 | enqueued | p50 | p95 | p99 | max | latest send | load average |
|---|---|---|---|---|---|---|---|---|
${lines.join('\n')}
`;
}
