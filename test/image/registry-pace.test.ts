/** Registries that answer a byte at a time, over real HTTP. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { createRegistryClient, type RegistryClient } from '../../shared/image/registry-client.ts';

const content = Buffer.from(
  JSON.stringify({ schemaVersion: 2, config: {}, layers: [], padding: 'x'.repeat(500) }),
);
const digest = digestOf(content);
const open: (() => void)[] = [];

afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** Sends the content byte by byte, one each 5 ms, for as long as somebody listens. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
  let at = 0;
  const timer = setInterval(() => response.write(content.subarray(at, ++at)), 5);
  response.on('close', () => clearInterval(timer));
}

/** As drip, with a head that never ends. */
function dripHead(response: ServerResponse): void {
  const { socket } = response;
  socket?.write('HTTP/1.1 200 OK\r\nx: ');
  const timer = setInterval(() => socket?.write('x'), 5);
  response.on('close', () => clearInterval(timer));
}

async function clientAt(
  answer: (response: ServerResponse) => void,
  leastBytes: number,
): Promise<{ client: RegistryClient; where: { registry: string; repository: string } }> {
  const server: Server = createServer((_request, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = createRegistryClient({
    registries: [],
    allowLoopback: true,
    credentials: async () => ({ kind: 'anonymous' }),
    retry: { attempts: 1, baseDelayMs: 1, maxDelayMs: 1 },
    idleTimeoutMs: 1_000,
    pace: { windowMs: 50, leastBytes },
  });
  open.push(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return { client, where: { registry: `127.0.0.1:${port}`, repository: 'team/app' } };
}

const slow = { code: 'REGISTRY_UNREACHABLE', retryable: true };

describe('a registry that sends a byte before each time limit', () => {
  test('is left, with a manifest', async () => {
    const { client, where } = await clientAt(drip, 1_000);
    await expect(client.manifest(where, digest)).rejects.toMatchObject(slow);
  });

  test('is left, with a layer', async () => {
    const { client, where } = await clientAt(drip, 1_000);
    const blob = await client.openBlob(where, digest);
    const read = async (): Promise<void> => {
      for await (const _chunk of blob?.bytes ?? []) {
        // Only the end counts.
      }
    };
    await expect(read()).rejects.toMatchObject(slow);
  });

  test('is left, with the head of its answer', async () => {
    const { client, where } = await clientAt(dripHead, 1);
    await expect(client.hasBlob(where, digest)).rejects.toMatchObject(slow);
  });

  test('is read on where it keeps the pace', async () => {
    const { client, where } = await clientAt((response) => {
      response.writeHead(200);
      let left = 20;
      const timer = setInterval(() => {
        response.write('x'.repeat(1_000));
        if (--left === 0) response.end();
        if (left === 0) clearInterval(timer);
      }, 10);
    }, 500);
    const blob = await client.openBlob(where, digest);
    let size = 0;
    for await (const chunk of blob?.bytes ?? []) size += chunk.byteLength;
    expect(size).toBe(20_000);
  });
});
