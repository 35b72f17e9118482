/** `npm start` as a person uses it: the sample's verdict, subscriptions, the gate, and every way in which it ends. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { startOciRegistry } from '../../shared/local/oci-registry.ts';
import { pushSampleImage } from '../../shared/local/sample/sample-image.ts';
import { runCommand } from '../cli/command.ts';
import { isRunning } from '../support/processes.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import {
  cleanUp,
  newFolder,
  runStart,
  type StartedMachine,
  startMachine,
  waitUntil,
} from './started-machine.ts';

// Starting takes two seconds, and many times that while other tests have the processors.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const sampleFindings = [
  'GHSA-xvch-5gv4-984h',
  'DSA-5764-1',
  'GHSA-p6mc-m468-83gw',
  'GHSA-29mw-wpgm-hmr9',
] as const;

afterAll(cleanUp);

describe('npm start', () => {
  let dataDir = '';
  let machine: StartedMachine;
  let receiver: Receiver;
  let subscriptionId = '';
  beforeAll(async () => {
    dataDir = await newFolder();
    machine = await startMachine(dataDir);
    receiver = await startReceiver(() => machine.subscriptionSecret);
  });
  afterAll(() => receiver?.stop());

  it('shows the steps as they happen, then the verdict of the sample, then what to do next', () => {
    const { stdout } = machine;
    const order = [
      'Starting Plimsoll',
      /\n {2}sync +advisories revision 1 /,
      /\nPushing 127\.0\.0\.1:\d+\/sample\/app:v1/,
      /\n {2}plan +sample\/app@[0-9a-f]{12}: 2 layers, 2 to read/,
      /\n {2}read +layer [0-9a-f]{12}: \d+ files/,
      /\nVerdict +FAIL by policy default/,
      /\nSEVERITY +PACKAGE +INSTALLED +FIXED +VULNERABILITY\n/,
      /\ncritical +minimist +0\.0\.8 +0\.2\.4 +GHSA-xvch-5gv4-984h/,
      /\nhigh +openssl +3\.0\.13-1~deb12u1 +3\.0\.14-1~deb12u2 +DSA-5764-1/,
      /\nFrom push to verdict: \d+\.\d s\n/,
      `docker://${machine.registryHost}/team/alpine:3.20`,
      `POST ${machine.apiUrl}/webhooks/distribution`,
    ].map((words) => stdout.search(words));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    for (const id of sampleFindings) expect(stdout).toContain(id);
  });

  it('has the verdict of the sample within 15 seconds', () => {
    const seconds = Number(/From push to verdict: (\d+\.\d) s/.exec(machine.stdout)?.[1]);
    expect(seconds).toBeLessThan(15);
  });

  it('works in all its parts', async () => {
    const health = await fetch(`${machine.apiUrl}/health`);
    expect([health.status, await health.json()]).toEqual([
      200,
      { status: 'ok', checks: { queues: 'ok', documents: 'ok', blobs: 'ok', secrets: 'ok' } },
    ]);
  });

  it('tells a subscription of a push, signed, and says that it was delivered', async () => {
    const created = await post(machine, 'subscriptions', {
      name: 'Team',
      repositories: `${machine.registryHost}/team/*`,
      url: receiver.url,
      secretName: 'subscription-local',
    });
    expect(created.status).toBe(201);
    subscriptionId = z.object({ id: z.string() }).parse(created.body).id;
    const digest = await pushSampleImage(`http://${machine.registryHost}`, 'team/app', 'v2');
    await waitUntil('the receiver is told', async () => receiver.received.length > 0);
    const [told, ...others] = receiver.received;
    expect([others, receiver.refused]).toEqual([[], []]);
    expect(told?.message.type).toBe('verdict.changed');
    expect(told?.message.data.images).toMatchObject([
      {
        place: { registry: machine.registryHost, repository: 'team/app' },
        digest,
        tag: 'v2',
        decision: { before: null, after: 'fail' },
      },
    ]);
    const changes = told?.message.data.images?.[0]?.changes ?? [];
    const advisories = changes.flatMap((change) => (change.kind === 'finding.new' ? [change.advisory] : []));
    expect(new Set(advisories)).toEqual(new Set(sampleFindings));
    const delivered = { deliveryId: told?.deliveryId, status: 'delivered', digests: [digest] };
    expect(await waitForDeliveries(machine, subscriptionId)).toMatchObject([delivered]);
  });

  it('sends a test message on demand', async () => {
    expect(await post(machine, `subscriptions/${subscriptionId}/test`, {})).toMatchObject({ status: 202 });
    await waitUntil('the test message comes', async () => receiver.received.length > 1);
    expect(receiver.received[1]?.message.type).toBe('subscription.test');
    expect(receiver.refused).toEqual([]);
  });

  it('answers at the gate and by the command that the sample may not run', async () => {
    const reference = `${machine.registryHost}/sample/app:v1`;
    const answer = await fetch(`${machine.apiUrl}/gate?reference=${reference}`);
    expect(await answer.json()).toMatchObject({
      decision: 'fail',
      digest: expect.stringMatching(/^sha256:/),
    });
    const command = await runCommand([
      ...['gate', reference, '--server', machine.apiUrl.replace(/\/api$/, '')],
    ]);
    expect(command).toMatchObject({ exitCode: 1, stderr: '' });
    expect(command.stdout).toMatch(/fail/i);
  });

  it('scans on demand what no registry told of', async () => {
    const silent = await startOciRegistry();
    try {
      const digest = await pushSampleImage(silent.url, 'quiet/app', 'v1');
      const answer = await post(machine, 'scans', { reference: `${silent.host}/quiet/app:v1` });
      expect(answer).toEqual({ status: 202, body: { digest, url: `/api/images/${digest}` } });
      const repository = encodeURIComponent(`${silent.host}/quiet/app`);
      const view = await waitUntil('the verdict is there', async () => {
        const found = await fetch(`${machine.apiUrl}/images/${digest}?repository=${repository}`);
        const body = z.object({ decision: z.string().optional() }).parse(await found.json());
        return found.ok && body.decision !== 'pending' && body;
      });
      expect(view.decision).toBe('fail');
    } finally {
      await silent.close();
    }
  });

  it('refuses a second start in its data folder in one line', async () => {
    const second = await runStart(['--data', dataDir, '--no-sample']);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^plimsoll: the data folder [^\n]+ is in use by process \d+: [^\n]+\n$/);
  });

  it('ends at Ctrl-C with exit code 0 and leaves no process', async () => {
    const ended = await machine.interrupt();
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    expect(ended.stdout).toContain('\nStopping …\n');
    expect(machine.pids).toHaveLength(5);
    expect(machine.pids.filter(isRunning)).toEqual([]);
  });

  it('knows its images, subscriptions and secrets when it is started again, and tells nothing twice', async () => {
    const historyBefore = await countHistory(dataDir);
    const before = machine;
    machine = await startMachine(dataDir, { port: Number(new URL(before.apiUrl).port) });
    expect(machine.webhookToken).toBe(before.webhookToken);
    expect(machine.subscriptionSecret).toBe(before.subscriptionSecret);
    expect(machine.stdout).toMatch(/\nVerdict +FAIL by policy default/);
    expect(await imagesAt(machine, 'team/app')).toMatchObject({
      items: [{ decision: 'fail', verdicts: [{ tags: ['v2'] }] }],
    });
    // What was pushed before still lies in the registry, and pushing it again is no news.
    const told = receiver.received.length;
    await pushSampleImage(`http://${machine.registryHost}`, 'team/app', 'v2');
    await post(machine, `subscriptions/${subscriptionId}/test`, {});
    await waitUntil('the test message comes', async () => receiver.received.length > told);
    expect((await machine.interrupt()).code).toBe(0);
    expect(receiver.received.slice(told).map((one) => one.message.type)).toEqual(['subscription.test']);
    expect(await countHistory(dataDir)).toBe(historyBefore);
  });

  it('leaves no emulator running when it is killed, and starts again with what it knew', async () => {
    machine = await startMachine(dataDir, { port: Number(new URL(machine.apiUrl).port) });
    await machine.kill();
    await waitUntil('the emulators are gone', async () => !machine.pids.some(isRunning));
    machine = await startMachine(dataDir, { port: Number(new URL(machine.apiUrl).port) });
    expect(await imagesAt(machine, 'team/app')).toMatchObject({ items: [{ decision: 'fail' }] });
    expect((await machine.interrupt()).code).toBe(0);
  });
});

describe('npm start with flags', () => {
  it('pushes nothing with --no-sample and takes the token of --webhook-token', async () => {
    const token = 'a-token-of-the-tests-1234';
    const machine = await startMachine(await newFolder(), {
      args: ['--no-sample', '--webhook-token', token],
    });
    expect(machine.stdout).not.toContain('Verdict');
    expect(machine.webhookToken).toBe(token);
    expect(await (await fetch(`${machine.apiUrl}/images`)).json()).toMatchObject({ items: [] });
    const answers = ['another-token-of-the-tests', token].map((one) =>
      fetch(`${machine.apiUrl}/webhooks/distribution`, {
        method: 'POST',
        headers: { authorization: `Bearer ${one}` },
        body: '{"events":[]}',
      }),
    );
    expect((await Promise.all(answers)).map((answer) => answer.status)).toEqual([401, 202]);
    expect((await machine.interrupt()).code).toBe(0);
  });
});

describe('npm start that can not start', () => {
  const servers: { close(): unknown }[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function takenPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  it.for([
    { what: 'a flag that there is not', args: ['--prot', '1'], code: 2, line: /--prot/ },
    { what: 'a port that is none', args: ['--port', '99999'], code: 2, line: /--port: expected a number/ },
    {
      what: 'a token that is too short',
      args: ['--webhook-token', 'short'],
      code: 2,
      line: /--webhook-token/,
    },
    { what: 'a folder without a name', args: ['--data', ''], code: 2, line: /--data: expected a folder/ },
  ])('says in one line what is wrong: $what', async ({ args, code, line }) => {
    const ended = await runStart(args);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toMatch(/^plimsoll: [^\n]+\n$/);
    expect(ended.stderr).toMatch(line);
  });

  it('says in one line that the data folder is a file', async () => {
    const file = join(await newFolder(), 'file');
    await writeFile(file, '');
    await expectRefusal(['--data', file], /to be a folder/);
  });

  it('says in one line that its port is taken', async () => {
    const port = await takenPort();
    await expectRefusal(
      ['--data', await newFolder(), '--port', String(port)],
      new RegExp(`port ${port} .*taken`),
    );
  });

  it("says in one line that the registry's port is taken", async () => {
    const port = await takenPort();
    const args = ['--data', await newFolder(), '--port', String(port - 1)];
    await expectRefusal(args, new RegExp(`:${port} is taken`));
  });

  it('says in one line that the advisories can not be read', async () => {
    const missing = join(await newFolder(), 'missing');
    const args = ['--data', await newFolder(), '--port', String(await freeNow()), '--advisories', missing];
    await expectRefusal(args, /missing: expected ecosystems\.txt/);
  });

  async function expectRefusal(args: readonly string[], line: RegExp): Promise<void> {
    const ended = await runStart(args);
    expect(ended.stderr).toMatch(/^plimsoll: [^\n]+\n$/);
    expect(ended.stderr).toMatch(line);
    expect(ended.code).toBe(1);
  }

  /** A port that was taken a moment ago. */
  async function freeNow(): Promise<number> {
    const port = await takenPort();
    servers.pop()?.close();
    return port;
  }
});

async function post(
  machine: StartedMachine,
  path: string,
  body: unknown,
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${machine.apiUrl}/${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

async function imagesAt(machine: StartedMachine, repository: string): Promise<unknown> {
  const wanted = encodeURIComponent(`${machine.registryHost}/${repository}`);
  return (await fetch(`${machine.apiUrl}/images?repository=${wanted}`)).json();
}

async function waitForDeliveries(
  machine: StartedMachine,
  subscriptionId: string,
): Promise<readonly object[]> {
  const listSchema = z.object({ items: z.array(z.looseObject({ status: z.string() })) });
  return waitUntil('every delivery has ended', async () => {
    const answer = await fetch(`${machine.apiUrl}/subscriptions/${subscriptionId}/deliveries`);
    const { items } = listSchema.parse(await answer.json());
    return items.length > 0 && items.every((item) => item.status !== 'pending') && items;
  });
}

/** Verdicts that were ever given, in the snapshot that a stopped machine leaves. */
async function countHistory(dataDir: string): Promise<number> {
  const snapshot = await readFile(join(dataDir, 'documents/documents.json'), 'utf8');
  return [...snapshot.matchAll(/"type":"history"/g)].length;
}
