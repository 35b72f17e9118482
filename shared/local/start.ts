/** `npm start`: everything on one machine, a sample pushed through the real webhook, then a place to push one's own. */

import { PlimsollError } from '../domain/errors.ts';
import { parseReport } from '../reports/json.ts';
import { safeText } from '../reports/safe-text.ts';
import { renderTable } from '../reports/table.ts';
import { createReadyMachine, localSubscriptionSecret, type Machine } from './machine.ts';
import { pushSampleImage } from './sample/sample-image.ts';
import { parseStartOptions, type StartOptions, startUsage } from './start-options.ts';

const sampleRepository = 'sample/app';
const sampleTag = 'v1';
/** How long the sample's verdict may take before something must be wrong. */
const verdictLimitMs = 60_000;
const pollMs = 100;

const exitCodes = { usage: 2, failed: 1 } as const;

process.exitCode = await main(process.argv.slice(2));
// Connections that the SDKs keep open must not keep a stopped program alive.
process.exit();

async function main(args: readonly string[]): Promise<number> {
  let machine: Machine | undefined;
  try {
    const options = parseStartOptions(args);
    if (options.help) {
      process.stdout.write(startUsage);
      return 0;
    }
    const stopping = stopSignal();
    say('Starting Plimsoll on this machine …');
    machine = await createReadyMachine(options, { say, fail: stopping.fail });
    if (options.sample) await showSample(machine, stopping.isStopping);
    showAddresses(machine, options);
    await stopping.requested;
    say('\nStopping …');
    await machine.stop();
    return 0;
  } catch (error) {
    await machine?.stop();
    process.stderr.write(`plimsoll: ${failureText(error)}\n`);
    return error instanceof PlimsollError && error.code === 'INVALID_INPUT'
      ? exitCodes.usage
      : exitCodes.failed;
  }
}

/** One line where a person can act on it, else the whole stack; parts of both may come from a feed or an image. */
function failureText(error: unknown): string {
  if (error instanceof PlimsollError) return safeText(error.message);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.split('\n').map(safeText).join('\n');
}

/** Pushes the sample as any client would and waits for what the pipeline makes of it. */
async function showSample(machine: Machine, isStopping: () => boolean): Promise<void> {
  const startedAtMs = performance.now();
  say(`\nPushing ${machine.registryHost}/${sampleRepository}:${sampleTag}, an image with known faults:`);
  const digest = await pushSampleImage(machine.registryUrl, sampleRepository, sampleTag);
  const query = `repository=${encodeURIComponent(`${machine.registryHost}/${sampleRepository}`)}`;
  const url = `${machine.apiUrl}/images/${digest}/report?${query}`;
  while (performance.now() - startedAtMs < verdictLimitMs && !isStopping()) {
    const answer = await fetch(url);
    if (answer.ok) {
      const report = parseReport(Buffer.from(await answer.arrayBuffer()), url);
      const columns = process.stdout.columns;
      say('');
      process.stdout.write(renderTable(report, { colour: process.stdout.isTTY, columns }));
      say(`\nFrom push to verdict: ${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`);
      return;
    }
    await answer.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  if (isStopping()) return;
  throw new PlimsollError(
    'SERVER_UNREACHABLE',
    `the sample had no verdict after ${verdictLimitMs / 1_000} s; the lines above say what failed, ${machine.apiUrl}/health says more`,
  );
}

function showAddresses(machine: Machine, options: StartOptions): void {
  const { registryHost, apiUrl } = machine;
  say(`
Ready. Push an image of your own, and it is judged like the sample:
  skopeo copy --dest-tls-verify=false docker://docker.io/library/alpine:3.20 docker://${registryHost}/team/alpine:3.20
  docker tag IMAGE ${registryHost}/team/app:v1 && docker push ${registryHost}/team/app:v1
Another registry on this machine tells of its pushes here:
  POST ${apiUrl}/webhooks/distribution   (or …/acr)   Authorization: Bearer ${machine.webhookToken}
Who is told of verdicts that change, and with which signature (Standard Webhooks):
  curl ${apiUrl}/subscriptions -d '{"name":"me","repositories":"*","url":"http://127.0.0.1:PORT/","secretName":"${localSubscriptionSecret}"}'
  ${localSubscriptionSecret} is ${machine.subscriptionSecret}
Look:
  curl ${apiUrl}/images
  curl '${apiUrl}/gate?reference=${registryHost}/${sampleRepository}:${sampleTag}'
  npm run -s plimsoll -- gate ${registryHost}/${sampleRepository}:${sampleTag} --server ${apiUrl.replace(/\/api$/, '')}${
    options.advisories === undefined
      ? '\nOnly the sample has advisories: --advisories DIR|URL brings those of the public OSV bucket or a copy of it.'
      : ''
  }
Everything is kept in ${machine.dataDir}. Ctrl-C stops.`);
}

/** Resolves at Ctrl-C or when an emulator ended; a second Ctrl-C ends at once. */
function stopSignal() {
  const { promise: requested, resolve, reject } = Promise.withResolvers<void>();
  // Awaited later than it may come.
  requested.catch(() => {});
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    resolve();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { requested, isStopping: () => stopping, fail: (error: unknown) => reject(error) };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
