/** The second way in: what Event Grid writes to the queue `registry-events` leads to a verdict, whatever its form. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createIdentity } from '../../shared/azure/identity.ts';
import { createReadyMachine, type Machine } from '../../shared/local/machine.ts';
import { type OciRegistry, startOciRegistry } from '../../shared/local/oci-registry.ts';
import { createStorageQueueSource } from '../../shared/local/runner/storage-queue-source.ts';
import { pushSampleImage } from '../../shared/local/sample/sample-image.ts';
import { parseStartOptions } from '../../shared/local/start-options.ts';
import { cleanUp, freePortPair, newFolder, waitUntil } from './started-machine.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let machine: Machine;
/** It tells nobody of its pushes, so that only the queue can. */
let registry: OciRegistry;
const failures: unknown[] = [];

beforeAll(async () => {
  const options = parseStartOptions(['--data', await newFolder(), '--port', String(await freePortPair())]);
  machine = await createReadyMachine(options, { say: () => {}, fail: (error) => failures.push(error) });
  registry = await startOciRegistry();
});
afterAll(async () => {
  await registry?.close();
  await machine?.stop();
  await cleanUp();
  expect(failures).toEqual([]);
});

/** ACR's event as its documentation has it (Event Grid, "Azure Container Registry as an Event Grid source"). */
function eventOf(repository: string, digest: string) {
  const id = '831e1650-001e-001b-66ab-eeb76e069631';
  const source = '/subscriptions/0/resourceGroups/r/providers/Microsoft.ContainerRegistry/registries/demo';
  const type = 'Microsoft.ContainerRegistry.ImagePushed';
  const data = {
    id: '31c51664-e5bd-416a-a5df-e5206bc47ed0',
    timestamp: '2026-01-15T21:20:00.000Z',
    action: 'push',
    location: 'westeurope',
    target: {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: 3023,
      digest,
      length: 3023,
      repository,
      tag: 'v1',
    },
    request: { id: '7c66f28b-de19-40a4-821c-6f5f6c0003a4', host: registry.host, method: 'PUT' },
  };
  const subject = `${repository}:v1`;
  const time = '2026-01-15T21:20:01Z';
  return {
    ownSchema: {
      ...{ id, topic: source, subject, eventType: type, eventTime: time },
      ...{ data, dataVersion: '1.0', metadataVersion: '1' },
    },
    cloudEvent: { specversion: '1.0', id, source, subject, type, time, data },
  };
}

it.each([
  {
    what: "Event Grid's own schema as base64",
    repository: 'grid/base64',
    write: (event: ReturnType<typeof eventOf>) =>
      Buffer.from(JSON.stringify(event.ownSchema)).toString('base64'),
  },
  {
    what: 'a CloudEvent as plain text',
    repository: 'grid/plain',
    write: (event: ReturnType<typeof eventOf>) => JSON.stringify(event.cloudEvent),
  },
])('$what leads to a verdict', async ({ repository, write }) => {
  const digest = await pushSampleImage(registry.url, repository, 'v1');
  const { env } = process;
  const queues = createStorageQueueSource(
    env['PLIMSOLL_QUEUE_SERVICE_URI'] ?? '',
    createIdentity(env['PLIMSOLL_IDENTITY_CLIENT_ID']),
  );
  await queues.send('registry-events', write(eventOf(repository, digest)));
  const place = encodeURIComponent(`${registry.host}/${repository}`);
  const view = await waitUntil('the verdict is there', async () => {
    const answer = await fetch(`${machine.apiUrl}/images/${digest}?repository=${place}`);
    const body: unknown = await answer.json();
    return answer.ok && !JSON.stringify(body).includes('"decision":"pending"') && body;
  });
  expect(view).toMatchObject({
    decision: 'fail',
    verdicts: [{ place: { registry: registry.host, repository }, tags: ['v1'], decision: 'fail' }],
  });
});
