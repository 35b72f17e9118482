/** The HTTP client over real connections. */
import { createServer, type RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { createHttpClient, type HttpRequest, isNetworkError, readBody } from '../../shared/base/http.ts';

const open: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(listener: RequestListener): Promise<{ url: URL; connections: () => number }> {
  const server = createServer(listener);
  let count = 0;
  server.on('connection', () => {
    count++;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return { url: new URL(`http://127.0.0.1:${port}/`), connections: () => count };
}

function client() {
  const made = createHttpClient();
  open.push(() => made.close());
  return made;
}

function get(url: URL, more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', url, headers: {}, idleTimeoutMs: 5_000, ...more };
}

test('the bytes come as they were sent, also where they are compressed', async () => {
  const sent = gzipSync('hello');
  const { url } = await start((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(sent);
  });
  expect(Buffer.from((await readBody(await client().send(get(url)), 1_000)) ?? []).equals(sent)).toBe(true);
});

test('a connection is used again after a body was read or a short one discarded', async () => {
  const { url, connections } = await start((request, response) => {
    response.writeHead(200, { 'content-length': 5 });
    response.end(request.method === 'HEAD' ? undefined : 'hello');
  });
  const http = client();
  for (let round = 0; round < 5; round++) await readBody(await http.send(get(url)), 1_000);
  for (let round = 0; round < 5; round++) (await http.send(get(url))).discard();
  for (let round = 0; round < 5; round++) (await http.send(get(url, { method: 'HEAD' }))).discard();
  await readBody(await http.send(get(url)), 1_000);
  // A discarded answer may still be on its way when the next request starts.
  expect(connections()).toBeLessThanOrEqual(3);
});

test('a body over the limit is given up', async () => {
  const { url } = await start((_request, response) => {
    const more = (): void => {
      while (response.write('x'.repeat(10_000)));
    };
    response.on('drain', more);
    more();
  });
  expect(await readBody(await client().send(get(url)), 100_000)).toBeUndefined();
});

test('redirects are answers like any other', async () => {
  const { url } = await start((_request, response) => {
    response.writeHead(307, { location: 'http://example.com/' }).end();
  });
  const response = await client().send(get(url));
  expect([response.status, response.headers.location]).toEqual([307, 'http://example.com/']);
  response.discard();
});

test.each([
  ['no answer', (() => {}) as RequestListener],
  ['a head and no body', ((_request, response) => response.writeHead(200).flushHeaders()) as RequestListener],
  ['a body that stops', ((_request, response) => void response.write('hello')) as RequestListener],
])('%s ends after the idle time as a network error', async (_name, listener) => {
  const { url } = await start(listener);
  const reading = (async () => readBody(await client().send(get(url, { idleTimeoutMs: 50 })), 1_000))();
  await expect(reading).rejects.toSatisfy(isNetworkError);
});

test('a body that breaks off is a network error', async () => {
  const { url } = await start((_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('hello', () => response.destroy());
  });
  const reading = (async () => readBody(await client().send(get(url)), 1_000))();
  await expect(reading).rejects.toSatisfy(isNetworkError);
});

test('a refused connection is a network error, and a fault of the program is none', async () => {
  const sending = client().send(get(new URL('http://127.0.0.1:1/')));
  await expect(sending).rejects.toSatisfy(isNetworkError);
  expect(isNetworkError(new TypeError('x is undefined'))).toBe(false);
  expect(isNetworkError({ code: 'ECONNRESET' })).toBe(false);
});

test('an aborted request rejects with the reason', async () => {
  const { url } = await start(() => {});
  const stop = new AbortController();
  const sending = client().send(get(url, { signal: stop.signal }));
  stop.abort(new Error('enough'));
  await expect(sending).rejects.toThrow('enough');
  await expect(client().send(get(url, { signal: stop.signal }))).rejects.toThrow('enough');
});
