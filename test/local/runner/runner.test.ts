import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Runner, startRunner } from '../../../shared/local/runner/runner.ts';
import { silentLog } from '../../../shared/ports/log.ts';
import { createMemoryQueueSource, type MemoryQueueSource } from './memory-queue-source.ts';
import { calls, failing, gate } from './sample-app/calls.ts';

const appDir = fileURLToPath(new URL('sample-app', import.meta.url));
const timings = { minPollMs: 5, maxPollMs: 20, leaseMs: 60, retryMs: 5, drainMs: 5_000 };
const logged: string[] = [];
const log = { ...silentLog, error: (event: string) => void logged.push(event) };

let queues: MemoryQueueSource;
let runner: Runner;

async function start(extra: { readonly port?: number; readonly timers?: boolean } = {}): Promise<void> {
  queues = createMemoryQueueSource();
  runner = await startRunner({
    appDir,
    port: 0,
    queues,
    settings: { EVERY: '* * * * * *' },
    timers: false,
    timings,
    log,
    ...extra,
  });
}

function callsOf(name: string): typeof calls {
  return calls.filter((one) => one.function === name);
}

describe('the HTTP functions', () => {
  beforeAll(() => start());
  afterAll(() => runner.stop());

  it.each([
    [
      'a parameter, decoded but for the slash',
      'GET',
      '/api/items/a%20b%2Fc/report?q=1',
      200,
      '{"id":"a b%2Fc","q":"1"}',
    ],
    [
      'paths without regard to case and a trailing slash',
      'GET',
      '/API/Items/X/Report/',
      200,
      '{"id":"X","q":null}',
    ],
    [
      'the first route by function name, not the most specific',
      'GET',
      '/api/files/special',
      200,
      'rest special',
    ],
    ['a catch-all', 'GET', '/api/files/a/b', 200, 'rest a/b'],
    ['a second method of one route in another function', 'PUT', '/api/echo', 200, 'put'],
    ['nothing returned', 'GET', '/api/nothing', 204, ''],
    ['a string returned', 'GET', '/api/text', 500, ''],
    ['a handler that throws', 'GET', '/api/throws', 500, ''],
    ['a wrong method', 'DELETE', '/api/echo', 404, ''],
    ['HEAD', 'HEAD', '/api/nothing', 404, ''],
    ['a path outside the prefix', 'GET', '/echo', 404, ''],
    ['the route of a disabled function', 'GET', '/api/items/1', 404, ''],
    ['a missing segment', 'GET', '/api/items//report', 404, ''],
  ])('answer %s', async (_, method, path, status, body) => {
    const answer = await fetch(runner.url + path, { method });
    expect([answer.status, await answer.text()]).toEqual([status, body]);
  });

  it('hand over body and headers both ways', async () => {
    const answer = await fetch(`${runner.url}/api/echo`, { method: 'POST', body: 'héllo' });
    expect([answer.status, answer.headers.get('x-name'), await answer.text()]).toEqual([
      202,
      'echo',
      'héllo',
    ]);
  });

  it('are disabled alone where a route is wrong or taken', () => {
    const broken = runner.functions.filter((one) => one.error !== undefined).map((one) => one.name);
    expect(broken).toEqual(['bad-name', 'bad-schedule', 'echo-same-route', 'wrong-route']);
  });

  it('are for this machine alone', () => {
    expect(new URL(runner.url).hostname).toBe('127.0.0.1');
  });

  it('leave a taken port with one line', async () => {
    const port = Number(new URL(runner.url).port);
    const second = startRunner({ appDir, port, queues, timers: false, log: silentLog });
    await expect(second).rejects.toMatchObject({ code: 'INVALID_SETTING' });
    await expect(second).rejects.toThrow(new RegExp(`^expected port ${port} [^\\n]* it is taken: [^\\n]*$`));
  });
});

describe('the queue functions', () => {
  beforeEach(async () => {
    calls.length = 0;
    failing.clear();
    logged.length = 0;
    gate.until = Promise.resolve();
    await start();
  });
  afterEach(() => runner.stop());

  it('get JSON parsed, its members in the metadata, and the message is gone afterwards', async () => {
    await queues.send('jobs', '{"Name":"x","id":7}');
    await vi.waitFor(() => expect(queues.texts('jobs')).toEqual([]));
    expect(callsOf('jobs')).toMatchObject([
      {
        input: { Name: 'x', id: 7 },
        metadata: { name: 'x', dequeueCount: 1, queueTrigger: { name: 'x', id: 7 } },
      },
    ]);
  });

  it('get other text as a string', async () => {
    await queues.send('jobs', 'no JSON {');
    await vi.waitFor(() => expect(callsOf('jobs')).toMatchObject([{ input: 'no JSON {' }]));
  });

  it('are tried as often as host.json says, then the message goes to the poison queue', async () => {
    failing.add('"bad"');
    runner.pauseQueues();
    await queues.send('jobs', '"bad"');
    failing.add('"worse"');
    runner.resumeQueues();
    await vi.waitFor(() => expect(callsOf('jobs')).toHaveLength(3));
    await vi.waitFor(() => expect(callsOf('jobs-poison').length).toBeGreaterThan(0));
    expect(queues.texts('jobs')).toEqual([]);
    expect(logged).toContain('message-failed');
  });

  it('of a poison queue have no poison queue of their own', async () => {
    failing.add('"bad"');
    await queues.send('jobs-poison', '"bad"');
    await vi.waitFor(() => expect(callsOf('jobs-poison').length).toBeGreaterThanOrEqual(3));
    expect(queues.texts('jobs-poison')).toEqual(['"bad"']);
    expect(queues.texts('jobs-poison-poison')).toEqual([]);
  });

  it('keep the lease of a message while they run', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.until = promise;
    const hide = vi.spyOn(queues, 'hide');
    await queues.send('jobs', '"long"');
    // Longer than the lease of 60 ms: without a renewal the message would have come again.
    await vi.waitFor(() => expect(hide.mock.calls.length).toBeGreaterThanOrEqual(4));
    resolve();
    await vi.waitFor(() => expect(queues.texts('jobs')).toEqual([]));
    expect(callsOf('jobs')).toHaveLength(1);
  });

  it('take a new batch only when the one before is done', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.until = promise;
    runner.pauseQueues();
    for (const text of ['1', '2', '3', '4', '5']) {
      await queues.send('jobs', text);
    }
    const receive = vi.spyOn(queues, 'receive');
    runner.resumeQueues();
    await vi.waitFor(() => expect(callsOf('jobs')).toHaveLength(4));
    // The other queues are looked at again and again meanwhile.
    receive.mockClear();
    await vi.waitFor(() => expect(receive.mock.calls.length).toBeGreaterThan(3));
    expect(callsOf('jobs')).toHaveLength(4);
    resolve();
    await vi.waitFor(() => expect(callsOf('jobs')).toHaveLength(5));
  });

  it('rest while paused', async () => {
    runner.pauseQueues();
    await queues.send('jobs', '"waits"');
    const answer = await fetch(`${runner.url}/api/nothing`);
    expect(answer.status).toBe(204);
    expect(queues.texts('jobs')).toEqual(['"waits"']);
    runner.resumeQueues();
    await vi.waitFor(() => expect(queues.texts('jobs')).toEqual([]));
  });

  it('finish also what the queue hands out while the runner stops', async () => {
    const warned = vi.spyOn(log, 'warn');
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const finished = Promise.withResolvers<void>();
    gate.until = finished.promise;
    const { receive } = queues;
    queues.receive = async (queue, ...words) => {
      if (queue !== 'jobs') return receive(queue, ...words);
      asked.resolve();
      await answered.promise;
      return receive(queue, ...words);
    };
    await asked.promise;
    await queues.send('jobs', '"late"');
    const stopped = runner.stop();
    answered.resolve();
    await vi.waitFor(() => expect(callsOf('jobs')).toHaveLength(1));
    finished.resolve();
    await stopped;
    expect(queues.texts('jobs')).toEqual([]);
    expect(warned).not.toHaveBeenCalled();
    await start();
  });

  it('finish what runs when the runner stops, and take nothing new', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.until = promise;
    await queues.send('jobs', '"first"');
    await vi.waitFor(() => expect(callsOf('jobs')).toHaveLength(1));
    const stopped = runner.stop();
    await queues.send('jobs', '"second"');
    resolve();
    await stopped;
    expect(queues.texts('jobs')).toEqual(['"second"']);
    expect(callsOf('jobs')).toHaveLength(1);
    await start();
  });
});

describe('the timer functions', () => {
  beforeEach(() => {
    calls.length = 0;
  });

  it('fire by their schedule and, where asked, at the start', async () => {
    await start({ timers: true });
    await vi.waitFor(() => expect(callsOf('every-second').length).toBeGreaterThan(0), { timeout: 5_000 });
    await runner.stop();
    expect(callsOf('every-year')).toHaveLength(1);
    expect(callsOf('every-second')[0]?.input).toMatchObject({ isPastDue: false });
  });

  it('fire when told to', async () => {
    await start();
    await runner.fireTimer('every-year');
    expect(callsOf('every-year')).toHaveLength(1);
    await expect(runner.fireTimer('jobs')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await runner.stop();
  });
});

describe('the runner', () => {
  it('closes its port when it stops', async () => {
    await start();
    const { port } = new URL(runner.url);
    await runner.stop();
    const socket = connect(Number(port), '127.0.0.1');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('says which file of an app does not load', async () => {
    const files = [fileURLToPath(new URL('sample-app/functions/none.ts', import.meta.url))];
    const started = startRunner({ appDir, files, port: 0, queues, log: silentLog });
    await expect(started).rejects.toMatchObject({ code: 'INVALID_SETTING', message: /none\.ts to load/ });
  });
});
