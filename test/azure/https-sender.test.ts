/** The sender of notifications, over real sockets on this machine: what it refuses, and what it makes of answers. */
import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpsSender, type HttpsSenderOptions } from '../../shared/azure/https-sender.ts';
import type { OutgoingRequest } from '../../shared/ports/sender.ts';

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => {
      if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function') {
        server.closeAllConnections();
      }
      return new Promise((resolve) => server.close(resolve));
    }),
  );
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

function plain(listener: RequestListener): Promise<number> {
  return listen(createPlainServer(listener));
}

function post(
  url: string,
  options: Partial<HttpsSenderOptions> = {},
  timeoutMs = 5_000,
): Promise<{ readonly status: number; readonly retryAfterMs?: number }> {
  const request: OutgoingRequest = {
    url,
    headers: { 'content-type': 'application/json', 'webhook-id': 'd1' },
    body: '{"type":"größer"}',
    timeoutMs,
  };
  return createHttpsSender({ allowLoopback: false, ...options }).post(request);
}

describe('a receiver', () => {
  it('gets the body and headers as they are, over http on loopback where that is allowed', async () => {
    let seen: unknown;
    const port = await plain((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen = [request.method, request.url, request.headers['webhook-id'], Buffer.concat(chunks).toString()];
        response.writeHead(204).end();
      });
    });
    expect(await post(`http://127.0.0.1:${port}/hook?a=1`, { allowLoopback: true })).toEqual({ status: 204 });
    expect(seen).toEqual(['POST', '/hook?a=1', 'd1', '{"type":"größer"}']);
  });

  it('is reached over TLS by the address that was resolved once', async () => {
    const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    const server = createTlsServer({ key: pems.private, cert: pems.cert }, (_request, response) => {
      response.writeHead(200).end('ok');
    });
    const url = `https://localhost:${await listen(server)}/`;
    const asked: string[] = [];
    const resolve = async (name: string) => {
      asked.push(name);
      return ['127.0.0.1'];
    };
    expect(await post(url, { allowLoopback: true, ca: pems.cert, resolve })).toEqual({ status: 200 });
    expect(asked).toEqual(['localhost']);
    await expect(post(url, { allowLoopback: true, resolve })).rejects.toMatchObject({
      code: 'RECEIVER_UNREACHABLE',
      retryable: true,
    });
  });

  it('that redirects is not followed', async () => {
    let requests = 0;
    const port = await plain((_request, response) => {
      requests += 1;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await post(`http://127.0.0.1:${port}/`, { allowLoopback: true })).toEqual({ status: 307 });
    expect(requests).toBe(1);
  });

  it('says how long to wait', async () => {
    const port = await plain((_request, response) => {
      response.writeHead(429, { 'retry-after': '120' }).end();
    });
    expect(await post(`http://127.0.0.1:${port}/`, { allowLoopback: true })).toEqual({
      status: 429,
      retryAfterMs: 120_000,
    });
  });

  it('that answers without end has answered all the same', async () => {
    const port = await plain((_request, response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write('x'.repeat(65_536)), 1);
      response.on('close', () => clearInterval(more));
    });
    expect(await post(`http://127.0.0.1:${port}/`, { allowLoopback: true })).toEqual({ status: 200 });
  });

  it('that says nothing is given up after the time limit', async () => {
    const port = await plain(() => {});
    await expect(post(`http://127.0.0.1:${port}/`, { allowLoopback: true }, 100)).rejects.toMatchObject({
      code: 'RECEIVER_UNREACHABLE',
      retryable: true,
      message: expect.stringContaining('within 100 ms'),
    });
  });

  it('that is not there is unreachable, and its path stays out of the message', async () => {
    const port = await plain(() => {});
    const [server] = servers.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    const failure = post(`http://127.0.0.1:${port}/path-is-secret`, { allowLoopback: true });
    await expect(failure).rejects.toMatchObject({
      code: 'RECEIVER_UNREACHABLE',
      message: expect.not.stringContaining('secret'),
    });
  });

  it('whose name is resolved for ever is given up after the time limit', async () => {
    const resolve = () => new Promise<readonly string[]>(() => {});
    await expect(post('https://receiver.example/', { resolve }, 100)).rejects.toMatchObject({
      code: 'RECEIVER_UNREACHABLE',
    });
  });

  it('whose name does not resolve is unreachable', async () => {
    const gone = async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND gone.example'), { code: 'ENOTFOUND' });
    };
    for (const resolve of [gone, async () => []]) {
      await expect(post('https://gone.example/', { resolve })).rejects.toMatchObject({
        code: 'RECEIVER_UNREACHABLE',
      });
    }
  });
});

describe('without any connection, RECEIVER_REFUSED is the answer', () => {
  it.each([
    'http://receiver.example/',
    'ftp://receiver.example/',
    'file:///etc/passwd',
    '//receiver.example/',
    'no url',
    'https://user:password@receiver.example/',
    'https://user@receiver.example/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://100.64.0.1/',
    'https://169.254.169.254/metadata/identity/oauth2/token',
    'https://0.0.0.0/',
    'https://224.0.0.1/',
  ])('to %s', async (url) => {
    await expect(post(url)).rejects.toMatchObject({ code: 'RECEIVER_REFUSED', retryable: false });
  });

  it.each([
    ['a private address', ['10.0.0.5']],
    ['loopback', ['127.0.0.1']],
    ['IPv6 loopback', ['::1']],
    ['the metadata address', ['169.254.169.254']],
    ['a mapped address', ['::ffff:127.0.0.1']],
    ['one private address among public ones', ['93.184.215.14', '10.0.0.5']],
    ['one private address behind IPv6', ['2606:4700::1111', 'fd00::1']],
  ])('to a name that resolves to %s', async (_name, addresses) => {
    const failure = post('https://receiver.example/', { resolve: async () => addresses });
    await expect(failure).rejects.toMatchObject({ code: 'RECEIVER_REFUSED' });
  });

  it('to another name that resolves to loopback, even where loopback is allowed', async () => {
    const options = { allowLoopback: true, resolve: async () => ['127.0.0.1'] };
    await expect(post('https://receiver.example/', options)).rejects.toMatchObject({
      code: 'RECEIVER_REFUSED',
    });
    await expect(post('http://receiver.example/', options)).rejects.toMatchObject({
      code: 'RECEIVER_REFUSED',
    });
  });

  it('to localhost that resolves to somewhere private', async () => {
    const options = { allowLoopback: true, resolve: async () => ['10.0.0.1'] };
    await expect(post('http://localhost:1/', options)).rejects.toMatchObject({ code: 'RECEIVER_REFUSED' });
  });

  it('to the identity endpoint on loopback', async () => {
    const options = { allowLoopback: true, refusedHosts: ['127.0.0.1:41741'] };
    await expect(post('http://127.0.0.1:41741/msi/token', options)).rejects.toMatchObject({
      code: 'RECEIVER_REFUSED',
    });
  });
});
