/** The local registry tells what Docker's registry tells: compared with what that one really sent. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startOciRegistry } from '../../shared/local/oci-registry.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { pushBlob, pushImage, sampleBytes } from '../support/registry-push.ts';

interface Envelope {
  readonly headers: IncomingHttpHeaders;
  readonly events: readonly Record<string, unknown>[];
}

const open: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function startReceiver(): Promise<{ url: string; envelopes: Envelope[] }> {
  const envelopes: Envelope[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      envelopes.push({
        headers: request.headers,
        ...(JSON.parse(body) as { events: Record<string, unknown>[] }),
      });
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => new Promise((resolve) => server.close(resolve)));
  const bound = server.address();
  return {
    url: `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}/events`,
    envelopes,
  };
}

/** Every path of an event with the type of what stands there. */
function shapeOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return shapeOf(value[0], `${path}[]`);
  if (typeof value !== 'object' || value === null) return [`${path} ${typeof value}`];
  return Object.entries(value).flatMap(([key, inner]) => shapeOf(inner, `${path}.${key}`));
}

async function runThroughAll(): Promise<Envelope[]> {
  const { url, envelopes } = await startReceiver();
  const registry = await startOciRegistry({ notifications: { url, authorization: 'Bearer test-token' } });
  open.push(() => registry.close());
  const repository = 'demo/app';
  const pushed = await pushImage({ url: registry.url, repository }, 'base', [sampleBytes(100)]);
  await fetch(`${registry.url}/v2/${repository}/blobs/${pushed.layers[0]}`, { method: 'HEAD' });
  await fetch(`${registry.url}/v2/demo/other/blobs/uploads/?mount=${pushed.layers[0]}&from=${repository}`, {
    method: 'POST',
  });
  await fetch(`${registry.url}/v2/${repository}/manifests/base`);
  await fetch(`${registry.url}/v2/${repository}/manifests/${pushed.digest}`, { method: 'DELETE' });
  await registry.notified();
  return envelopes;
}

test('one event comes in each envelope, with the header that was asked for', async () => {
  const envelopes = await runThroughAll();
  expect(envelopes.map(({ events }) => events.map((event) => event['action']).join())).toEqual([
    'push',
    'push',
    'push',
    'pull',
    'mount',
    'pull',
    'delete',
    'delete',
  ]);
  for (const { headers } of envelopes) {
    expect(headers['content-type']).toBe('application/vnd.docker.distribution.events.v2+json');
    expect(headers.authorization).toBe('Bearer test-token');
  }
  expect(new Set(envelopes.map(({ events }) => events[0]?.['id'])).size).toBe(envelopes.length);
});

test('pulls can be left out', async () => {
  const { url, envelopes } = await startReceiver();
  const registry = await startOciRegistry({ notifications: { url, ignoredActions: ['pull'] } });
  open.push(() => registry.close());
  const digest = await pushBlob({ url: registry.url, repository: 'a' }, sampleBytes(3));
  await fetch(`${registry.url}/v2/a/blobs/${digest}`);
  await registry.notified();
  expect(envelopes.map(({ events }) => events[0]?.['action'])).toEqual(['push']);
});

// Recorded from Debian's docker-registry 2.8.2: see the corpus' README.
test.skipIf(!hasCorpus).each([
  ['the push of a blob', '001.json', 0],
  ['the push of a manifest', '003.json', 2],
  ['the pull of a blob', '008.json', 3],
  ['a mount', '033.json', 4],
  ['the pull of a manifest', '034.json', 5],
  ['a delete by digest', '035.json', 6],
  ['the delete of its tag', '036.json', 7],
])(`%s has the fields and types of the recorded %s${corpusReason}`, async (_name, file, position) => {
  const recorded = JSON.parse(
    await readFile(join(corpusPath, 'registry-notifications', file), 'utf8'),
  ) as Envelope;
  const envelopes = await runThroughAll();
  expect(shapeOf(envelopes[position]?.events[0]).sort()).toEqual(shapeOf(recorded.events[0]).sort());
});

test('the two events of a delete carry one request id', async () => {
  const envelopes = await runThroughAll();
  const ids = envelopes.slice(6).map(({ events }) => JSON.stringify(events[0]?.['request']));
  expect(ids).toHaveLength(2);
  expect(ids[0]).toMatch(/"id":"[0-9a-f-]{36}"/);
  expect(ids[0]).toBe(ids[1]);
});
