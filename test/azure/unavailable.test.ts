/** A service that does not answer, or refuses, is a failure that may pass: told within seconds and without the token. */
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCosmosDocuments } from '../../shared/azure/cosmos-documents.ts';
import { createStorageBlobs } from '../../shared/azure/storage-blobs.ts';
import { createStorageQueues } from '../../shared/azure/storage-queues.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { closeServer, listen } from '../../shared/local/emulators/server.ts';
import { systemClock } from '../../shared/ports/clock.ts';
import type { DocumentKey } from '../../shared/ports/documents.ts';
import { type LoopbackService, startLoopbackService, testCredential, testToken } from './loopback-service.ts';

const key: DocumentKey = { container: 'images', partition: '00', id: 'x' };

const operations: readonly [string, string, (uri: string, options?: object) => Promise<unknown>][] = [
  [
    'sending a message',
    'QUEUE_UNAVAILABLE',
    (uri, options) => queuesAt(uri, options).send('image-events', {}),
  ],
  ['asking a depth', 'QUEUE_UNAVAILABLE', (uri, options) => queuesAt(uri, options).depth('image-events')],
  [
    'writing a blob',
    'STORE_UNAVAILABLE',
    (uri, options) => blobsAt(uri, options).createOnce('reports', 'a', Uint8Array.of(1)),
  ],
  ['reading a blob', 'STORE_UNAVAILABLE', (uri, options) => blobsAt(uri, options).read('reports', 'a', 10)],
  ['looking for a blob', 'STORE_UNAVAILABLE', (uri, options) => blobsAt(uri, options).exists('reports', 'a')],
  [
    'listing blobs',
    'STORE_UNAVAILABLE',
    (uri, options) => blobsAt(uri, options).list('reports', '', { limit: 1 }),
  ],
  ['removing a blob', 'STORE_UNAVAILABLE', (uri, options) => blobsAt(uri, options).remove('reports', 'a')],
  ['reading a document', 'STORE_UNAVAILABLE', (uri, options) => documentsAt(uri, options).read(key)],
  [
    'creating a document',
    'STORE_UNAVAILABLE',
    (uri, options) => documentsAt(uri, options).create(key, { type: 't' }),
  ],
  [
    'replacing a document',
    'STORE_UNAVAILABLE',
    (uri, options) => documentsAt(uri, options).replace(key, { type: 't' }, 'e'),
  ],
  ['removing a document', 'STORE_UNAVAILABLE', (uri, options) => documentsAt(uri, options).remove(key)],
  [
    'listing documents',
    'STORE_UNAVAILABLE',
    (uri, options) =>
      documentsAt(uri, options).list({ container: 'images', partition: '00', type: 't', limit: 1 }),
  ],
];

describe('a service that does not listen', () => {
  let closedUri = '';
  beforeAll(async () => {
    const server = Object.assign(createServer(), { closeIdleConnections() {} });
    closedUri = `https://127.0.0.1:${await listen(server, 0)}`;
    await closeServer(server);
  });

  it.for(operations)('makes %s throw %s within five seconds', async ([, code, operate]) => {
    const startedAtMs = performance.now();
    expectUnavailable(await thrownBy(operate(closedUri)), code);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});

describe('a service that refuses', () => {
  let service: LoopbackService;
  beforeAll(async () => {
    service = await startLoopbackService();
  });
  afterAll(() => service.stop());

  for (const status of [401, 403, 429, 500, 503]) {
    it.for(operations)(`with ${status} makes %s throw %s`, async ([, code, operate]) => {
      service.answer = (request, response) => {
        response.writeHead(status, { 'content-type': 'application/json', 'x-ms-error-code': 'Refused' });
        response.end(request.method === 'HEAD' ? undefined : '{"code":"Refused","message":"no"}');
      };
      expectUnavailable(await thrownBy(operate(service.uri)), code);
    });
  }
});

describe('an identity that gives no token', () => {
  it.for(operations)('makes %s throw %s', async ([, code, operate]) => {
    const getToken = (): Promise<never> =>
      Promise.reject(new PlimsollError('SECRET_UNAVAILABLE', 'no token', { retryable: true }));
    expectUnavailable(await thrownBy(operate('https://127.0.0.1:1', { credential: { getToken } })), code);
  });
});

describe('a service that takes requests and never answers', () => {
  let service: LoopbackService;
  beforeAll(async () => {
    service = await startLoopbackService();
  });
  afterAll(() => service.stop());

  it.for(operations)('makes %s throw %s at the end of its time limit', async ([, code, operate]) => {
    expectUnavailable(await thrownBy(operate(service.uri, { timeoutMs: 150 })), code);
    expect(service.requests()).toBeGreaterThan(0);
  });

  it('makes reading a blob throw STORE_UNAVAILABLE where the bytes stop half way', async () => {
    service.answer = (_, response) => {
      response.writeHead(200, { 'content-length': '1000', etag: '"0x1"' });
      response.write('x');
    };
    const reading = blobsAt(service.uri, { timeoutMs: 150 }).read('reports', 'a', 1000);
    expectUnavailable(await thrownBy(reading), 'STORE_UNAVAILABLE');
  });
});

function expectUnavailable(error: unknown, code: string): void {
  expect(error).toMatchObject({ name: 'PlimsollError', code, retryable: true });
  const shown = `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)}`;
  expect(shown).not.toContain(testToken);
  expect(shown).not.toContain(encodeURIComponent(testToken));
}

function thrownBy(operation: Promise<unknown>): Promise<unknown> {
  return operation.then(
    (value) => {
      throw new Error(`it answered ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

function queuesAt(serviceUri: string, options = {}) {
  return createStorageQueues({ serviceUri: `${serviceUri}/account`, credential: testCredential, ...options });
}

function blobsAt(serviceUri: string, options = {}) {
  return createStorageBlobs({ serviceUri: `${serviceUri}/account`, credential: testCredential, ...options });
}

function documentsAt(endpoint: string, options = {}) {
  return createCosmosDocuments({
    endpoint,
    database: 'd',
    credential: testCredential,
    clock: systemClock,
    ...options,
  });
}
