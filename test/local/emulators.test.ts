/** The emulators of one machine: processes that keep what they hold, believe only tokens, and go with their parent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAzurePorts } from '../../shared/azure/ports.ts';
import { readSettings } from '../../shared/azure/settings.ts';
import { type Emulators, startEmulators } from '../../shared/local/emulators/emulators.ts';
import { issueToken } from '../../shared/local/emulators/tokens.ts';
import { silentLog } from '../../shared/ports/log.ts';
import type { Ports } from '../../shared/ports/ports.ts';
import { isRunning } from '../support/processes.ts';

// Starting takes a second or two, and many times that while other tests have the processors.
vi.setConfig({ testTimeout: 60_000 });

const dataDir = await mkdtemp(join(tmpdir(), 'plimsoll-emulators-'));

afterAll(() => rm(dataDir, { recursive: true, force: true }));

describe('a parent that is killed without warning', () => {
  it('takes its emulators along, and they keep what they had acknowledged', async () => {
    const parent = startParent();
    const env = await envOf(parent);
    const lock = JSON.parse(await readFile(join(dataDir, 'emulators.lock'), 'utf8'));
    expect(lock.children).toHaveLength(3);
    expect(lock.children.every(isRunning)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');

    // Started at once: it has to wait for those of the killed one by itself.
    const emulators = await startEmulators({ dataDir });
    try {
      expect(lock.children.some(isRunning)).toBe(false);
      expect(emulators.env['PLIMSOLL_COSMOS_ENDPOINT']).not.toBe(env['PLIMSOLL_COSMOS_ENDPOINT']);
      const ports = portsOf(emulators);
      expect(await ports.secrets.read('kept')).toBe('secret');
      expect(await ports.queues.depth('image-events')).toBe(1);
      expect(Buffer.from((await ports.blobs.read('reports', 'kept', 100)) ?? []).toString()).toBe('blob');
      const document = await ports.documents.read({ container: 'layers', partition: 'p', id: 'kept' });
      expect(document?.value).toEqual({ type: 'kept' });
    } finally {
      await emulators.stop();
    }
  });
});

describe('emulators that run', () => {
  let emulators: Emulators;
  const ended: string[] = [];

  beforeAll(async () => {
    emulators = await startEmulators({ dataDir, onUnexpectedEnd: (error) => ended.push(error.message) });
  });
  afterAll(() => emulators.stop());

  it('give the app settings that its parser takes', () => {
    const settings = readSettings(emulators.env);
    expect(settings.allowLoopback).toBe(true);
    expect(settings.cosmosDatabase).toBe('plimsoll');
  });

  it('keep key and secrets from other users of the machine', async () => {
    for (const file of ['tls/key.pem', 'vault/secrets.json', 'documents/documents.json']) {
      expect((await stat(join(dataDir, file))).mode & 0o077, file).toBe(0);
    }
  });

  it('refuse a second start in the same folder in one line', async () => {
    const second = startEmulators({ dataDir });
    await expect(second).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/in use by process \d+/),
    });
  });

  it.for([
    ['PLIMSOLL_QUEUE_SERVICE_URI', '/image-events?comp=metadata'],
    ['PLIMSOLL_BLOB_SERVICE_URI', '/reports?restype=container&comp=list'],
    ['PLIMSOLL_COSMOS_ENDPOINT', '/dbs/plimsoll/colls/images'],
    ['PLIMSOLL_KEY_VAULT_URI', '/secrets/kept/?api-version=2025-07-01'],
    ['IDENTITY_ENDPOINT', '?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net'],
  ])('answer no request at %s without a token', async ([name = '', path = '']) => {
    const answer = await fetch(`${emulators.env[name]}${path}`);
    expect([401, 403]).toContain(answer.status);
  });

  it('answer no request with a token that is over', async () => {
    const { accessToken } = issueToken('https://vault.azure.net', new Date('2020-01-01T00:00:00Z'));
    const url = `${emulators.env['PLIMSOLL_KEY_VAULT_URI']}/secrets/kept/?api-version=2025-07-01`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${accessToken}` } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('resource="https://vault.azure.net"');
  });

  it('give a disabled and an expired secret as none', async () => {
    const { secrets } = portsOf(emulators);
    await emulators.setSecret('off', 'value', { enabled: false });
    await emulators.setSecret('over', 'value', { exp: 1_600_000_000 });
    expect(await secrets.read('off')).toBeUndefined();
    expect(await secrets.read('over')).toBeUndefined();
  });

  it('tell their parent when one ends that nobody stopped', async () => {
    const lock = JSON.parse(await readFile(join(dataDir, 'emulators.lock'), 'utf8'));
    // The stand-in for identity and vault: it holds nothing that is not on disk.
    process.kill(lock.children[2], 'SIGKILL');
    await expect
      .poll(() => ended, { timeout: 20_000 })
      .toEqual([expect.stringMatching(/identity and vault .* SIGKILL/)]);
  });
});

describe('a start that cannot succeed', () => {
  it('names the port that is taken and leaves nothing running', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const start = startEmulators({ dataDir, ports: { documents: port } });
    await expect(start).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: expect.stringMatching(new RegExp(`document emulator .*EADDRINUSE.*${port}`)),
    });
    blocker.close();
    const again = await startEmulators({ dataDir });
    await again.stop();
  });
});

function startParent(): ChildProcess & { readonly stdout: NodeJS.ReadableStream } {
  const entry = fileURLToPath(new URL('emulators-parent.ts', import.meta.url));
  return spawn(process.execPath, [entry, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function envOf(parent: { readonly stdout: NodeJS.ReadableStream }): Promise<Record<string, string>> {
  for await (const line of createInterface({ input: parent.stdout })) {
    if (line.startsWith('written ')) return JSON.parse(line.slice('written '.length));
  }
  throw new Error('the parent ended before it had written');
}

function portsOf(emulators: Emulators): Ports {
  process.env['IDENTITY_ENDPOINT'] = emulators.env['IDENTITY_ENDPOINT'];
  process.env['IDENTITY_HEADER'] = emulators.env['IDENTITY_HEADER'];
  return createAzurePorts(readSettings(emulators.env), {
    log: silentLog,
    sender: { post: () => Promise.reject(new Error('nothing is sent here')) },
  });
}
