import { request } from 'node:http';
import { Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Runner, startRunner } from '../../../shared/local/runner/runner.ts';
import { silentLog } from '../../../shared/ports/log.ts';
import { createMemoryQueueSource } from './memory-queue-source.ts';

const appDir = fileURLToPath(new URL('streaming-app', import.meta.url));
const listening: unknown[] = [];
let runner: Runner;

describe('an app that asks for HTTP streams', () => {
  beforeAll(async () => {
    const listen = vi.spyOn(Server.prototype, 'listen');
    runner = await startRunner({ appDir, port: 0, queues: createMemoryQueueSource(), log: silentLog });
    listening.push(
      ...listen.mock.results.map(({ value }) => (value instanceof Server ? value.address() : value)),
    );
    listen.mockRestore();
  });
  afterAll(() => runner.stop());

  it('is for this machine alone, also where the library listens', () => {
    const local = expect.objectContaining({ address: '127.0.0.1' });
    expect(listening).toEqual([local, local]);
  });

  it('gets bodies as they come', async () => {
    const chunk = new Uint8Array(1024 * 1024);
    const body = ReadableStream.from(Array.from({ length: 5 }, () => chunk));
    const headers = { authorization: 'Bearer x' };
    const answer = await fetch(`${runner.url}/api/count?a=b`, {
      method: 'POST',
      body,
      headers,
      duplex: 'half',
    });
    expect(await answer.json()).toEqual({
      bytes: 5 * chunk.byteLength,
      url: `${runner.url}/api/count?a=b`,
      token: 'Bearer x',
    });
  });

  it('may answer without having read the body', async () => {
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${runner.url}/api/refuse`, { method: 'POST' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.write('the rest never comes');
    });
    expect(answer).toBe(401);
  });

  it.each([
    ['route parameters', 'GET', '/api/items/7', 200, '{"id":"7"}'],
    ['nothing returned', 'GET', '/api/nothing', 204, ''],
    ['a handler that throws', 'POST', '/api/throws', 500, ''],
    ['an unknown path', 'GET', '/api/other', 404, ''],
  ])('answers %s as without streams', async (_, method, path, status, body) => {
    const answer = await fetch(runner.url + path, method === 'POST' ? { method, body: 'x' } : { method });
    expect([answer.status, await answer.text()]).toEqual([status, body]);
  });

  it('is cut off past the limit of the host', async () => {
    const chunk = new Uint8Array(4 * 1024 * 1024);
    const body = ReadableStream.from(Array.from({ length: 26 }, () => chunk));
    const answer = await fetch(`${runner.url}/api/count`, { method: 'POST', body, duplex: 'half' }).then(
      ({ status }) => status,
      // The connection may end before the client has sent everything and looked for an answer.
      () => 413,
    );
    expect(answer).toBe(413);
  });
});
