import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isRefusal, runCommand } from './command.ts';

const reference = 'registry.example.com/team/app:v1';
const digest = `sha256:${'a'.repeat(64)}`;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let closeServer: (() => Promise<void>) | undefined;

afterEach(async () => {
  await closeServer?.();
  closeServer = undefined;
});

/** The address of a server that answers so. */
async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeServer = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

describe('plimsoll gate', () => {
  it.each([
    ['pass', 0],
    ['warn', 0],
    ['fail', 1],
    ['pending', 3],
  ])('comes to the exit code of %s and prints the decision with its reasons', async (decision, exitCode) => {
    const url = await serve((_, response) =>
      answer(response, 200, {
        decision,
        reasons: [{ rule: 'some-rule', message: 'evil\u001B[2Jname' }],
        verdictAt: '2026-11-24T12:00:00Z',
        digest,
      }),
    );
    expect(await runCommand(['gate', reference, '--server', url])).toMatchObject({
      exitCode,
      stdout: `${decision.toUpperCase()} ${reference} ${digest} (judged 2026-11-24T12:00:00Z)\n  some-rule: evil\uFFFD[2Jname\n`,
      stderr: '',
    });
  });

  it('comes to exit code 2 where the verdict is error', async () => {
    const url = await serve((_, response) =>
      answer(response, 200, { decision: 'error', reasons: [], verdictAt: null, digest: null }),
    );
    const result = await runCommand(['gate', reference, '--server', url]);
    expect(result).toMatchObject({ exitCode: 2, stdout: `ERROR ${reference}\n` });
    expect(result.stderr).toMatch(/^plimsoll: [^\n]+\n$/);
  });

  it('asks for the reference and the environment, with the token', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      const asked = new URL(request.url ?? '', 'http://server');
      seen.push(asked.pathname, Object.fromEntries(asked.searchParams), request.headers.authorization);
      answer(response, 200, { decision: 'pass', reasons: [] });
    });
    const args = ['gate', reference, '--server', `${url}/plimsoll/`, '--environment', 'production & more'];
    expect(await runCommand(args, { env: { PLIMSOLL_TOKEN: 'a-token' } })).toMatchObject({ exitCode: 0 });
    expect(seen).toEqual([
      '/plimsoll/api/gate',
      { reference, environment: 'production & more' },
      'Bearer a-token',
    ]);
  });

  it('asks again while the answer is pending or the server fails, as long as it may wait', async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked += 1;
      if (asked === 1) answer(response, 503, { detail: 'starting' });
      else answer(response, 200, { decision: asked === 2 ? 'pending' : 'pass', reasons: [] });
    });
    expect(await runCommand(['gate', reference, '--server', url, '--wait', '60'])).toMatchObject({
      exitCode: 0,
      stdout: `PASS ${reference}\n`,
    });
    expect(asked).toBe(3);
  });

  it('says pending once the wait is over', async () => {
    const url = await serve((_, response) => answer(response, 200, { decision: 'pending', reasons: [] }));
    expect(await runCommand(['gate', reference, '--server', url, '--wait', '1'])).toMatchObject({
      exitCode: 3,
    });
  });

  it.each<[string, Handler, string]>([
    ['401', (_, response) => answer(response, 401, {}), 'PLIMSOLL_TOKEN'],
    ['403', (_, response) => answer(response, 403, {}), 'PLIMSOLL_TOKEN'],
    [
      '400 with a problem',
      (_, response) => answer(response, 400, { detail: 'no such environment' }),
      'status 400: no such environment',
    ],
    ['another shape', (_, response) => answer(response, 200, { decision: 'maybe' }), 'expected the gate'],
    ['no JSON', (_, response) => void response.end('<html>'), 'expected the gate'],
    [
      'a redirect',
      (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
      'status 302',
    ],
    ['too much', (_, response) => void response.end(Buffer.alloc(2 * 1024 * 1024, 32)), 'expected the gate'],
    ['nothing', (request) => void request.socket.destroy(), 'ECONNRESET'],
  ])('refuses where the server answers with %s', async (_, handler, message) => {
    const result = await runCommand(['gate', reference, '--server', await serve(handler)]);
    expect(result.stderr).toContain(message);
    expect(isRefusal(result)).toBe(true);
  });

  it.each([
    [['nonsense', '--server', 'https://plimsoll.example.com'], 'no image reference'],
    [[reference, '--server', 'plimsoll.example.com'], 'expected --server with an address'],
    [[reference, '--server', 'file:///etc/passwd'], 'expected --server with an address'],
    [[reference, '--server', 'http://plimsoll.example.com'], 'plain HTTP is for loopback alone'],
    [[reference, '--server', 'https://plimsoll.example.com', '--wait', '-1'], 'wait'],
    [
      [reference, '--server', 'https://plimsoll.example.com', '--wait', '1e3'],
      'expected --wait with whole seconds',
    ],
  ])('refuses %j', async (args, message) => {
    const result = await runCommand(['gate', ...args]);
    expect(result.stderr).toContain(message);
    expect(isRefusal(result)).toBe(true);
  });

  it.each<[NodeJS.Signals, number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('ends cleanly on %s', async (signal, exitCode) => {
    let asked: (() => void) | undefined;
    const firstQuestion = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const url = await serve((_, response) => {
      asked?.();
      answer(response, 200, { decision: 'pending', reasons: [] });
    });
    const result = await runCommand(['gate', reference, '--server', url, '--wait', '600'], {
      onStart: (child) => void firstQuestion.then(() => child.kill(signal)),
    });
    expect(result).toMatchObject({ exitCode, signal: null, stdout: '', stderr: '' });
  });
});
