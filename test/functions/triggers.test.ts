import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { routes } from '../../shared/api/routes.ts';
import { type Runner, startRunner } from '../../shared/local/runner/runner.ts';
import { maxDequeueCount } from '../../shared/pipeline/run-step.ts';
import { silentLog } from '../../shared/ports/log.ts';
import { queueNames } from '../../shared/ports/queue.ts';
import { createMemoryQueueSource } from '../local/runner/memory-queue-source.ts';

const appDir = fileURLToPath(new URL('../..', import.meta.url));
const names = readdirSync(`${appDir}/functions`)
  .filter((name) => /^[a-z].*\.ts$/.test(name))
  .map((name) => name.replace(/\.ts$/, ''))
  .sort();

let runner: Runner;
beforeAll(async () => {
  const files = names.map((name) => `${appDir}/functions/${name}.ts`);
  const queues = createMemoryQueueSource();
  runner = await startRunner({
    appDir,
    files,
    port: 0,
    queues,
    timers: false,
    queuesPaused: true,
    log: silentLog,
  });
});
afterAll(() => runner.stop());

describe('the triggers', () => {
  it('are one a file, named as the file, and none is disabled', () => {
    expect(names.length).toBeGreaterThan(20);
    expect(runner.functions.map((one) => one.name)).toEqual(names);
    expect(runner.functions.filter((one) => one.error !== undefined)).toEqual([]);
  });

  it('serve each route of the API', () => {
    const served = runner.functions.filter((one) => one.trigger === 'http').map((one) => one.on);
    const wanted = Object.values(routes).map((route) => `${route.method} /api/${route.path}`);
    expect(served.toSorted()).toEqual(wanted.toSorted());
  });

  it('serve each queue and its poison queue', () => {
    const queues = runner.functions.filter((one) => one.trigger === 'queue').map((one) => one.on);
    expect(queues.toSorted()).toEqual(queueNames.flatMap((name) => [name, `${name}-poison`]).toSorted());
  });

  it('hold no logic: each is a comment, imports and one registration', () => {
    const long = names.filter((name) => {
      const statements = readFileSync(`${appDir}/functions/${name}.ts`, 'utf8').match(/^[a-z].*$/gm) ?? [];
      return statements.filter((line) => !line.startsWith('import ')).length !== 1;
    });
    expect(long).toEqual([]);
  });

  it('answer a request whose settings are missing with a problem, not a crash', async () => {
    const answer = await fetch(`${runner.url}/api/webhooks/acr`, { method: 'POST', body: '{}' });
    expect([answer.status, await answer.json()]).toEqual([
      500,
      expect.objectContaining({
        code: 'INVALID_SETTING',
        detail: expect.stringContaining('PLIMSOLL_QUEUE_SERVICE_URI'),
      }),
    ]);
  });
});

describe('host.json', () => {
  const schema = z.object({
    functionTimeout: z.string(),
    extensions: z.object({ queues: z.record(z.string(), z.unknown()) }),
  });
  const host = schema.parse(JSON.parse(readFileSync(`${appDir}/host.json`, 'utf8')));

  it('lets a function run as long as it must', () => {
    expect(host.functionTimeout).toBe('-1');
  });

  it('tries a message as often as the steps believe, and takes few at once', () => {
    expect(host.extensions.queues).toMatchObject({
      batchSize: 4,
      newBatchThreshold: 0,
      maxDequeueCount,
      visibilityTimeout: '00:00:30',
      messageEncoding: 'none',
    });
  });
});
