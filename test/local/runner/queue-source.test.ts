import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Azurite, startAzurite } from '../../../shared/local/emulators/azurite.ts';
import { ensureCertificate, trustCertificate } from '../../../shared/local/emulators/certificate.ts';
import { issueToken } from '../../../shared/local/emulators/tokens.ts';
import type { QueueMessage, QueueSource } from '../../../shared/local/runner/queue-source.ts';
import { createStorageQueueSource } from '../../../shared/local/runner/storage-queue-source.ts';
import { createMemoryQueueSource } from './memory-queue-source.ts';

let folder = '';
let azurite: Azurite;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plimsoll-queue-source-'));
  const certificate = await ensureCertificate(folder, new Date());
  trustCertificate(certificate.certificatePem);
  azurite = await startAzurite({ folder, certificate });
});
afterAll(async () => {
  await azurite.child.stop();
  await rm(folder, { recursive: true, force: true });
});

const sources: readonly (readonly [string, () => QueueSource])[] = [
  ['in memory', createMemoryQueueSource],
  [
    'of Azure Storage',
    () =>
      createStorageQueueSource(azurite.queueServiceUri, {
        async getToken() {
          const { accessToken, expiresOn } = issueToken('https://storage.azure.com', new Date());
          return { token: accessToken, expiresOnTimestamp: expiresOn * 1000 };
        },
      }),
  ],
];

describe.each(sources)('the queues %s', (_, create) => {
  const longLeaseMs = 60_000;

  it('are empty where they are not there', async () => {
    expect(await create().receive('not-there', 4, longLeaseMs)).toEqual([]);
  });

  it('hide a message that was received, whose text and counts are as sent', async () => {
    const queues = create();
    await queues.send('hiding', '{"a":"é"}');
    expect(await queues.receive('hiding', 4, longLeaseMs)).toMatchObject([
      { text: '{"a":"é"}', dequeueCount: 1 },
    ]);
    expect(await queues.receive('hiding', 4, longLeaseMs)).toEqual([]);
  });

  it('show a message again at once when it is hidden for no time, and count the tries', async () => {
    const queues = create();
    await queues.send('again', 'x');
    await queues.hide('again', await receiveOne(queues, 'again'), 0);
    expect(await receiveOne(queues, 'again')).toMatchObject({ text: 'x', dequeueCount: 2 });
  });

  it('show a message again when its lease ends', async () => {
    const queues = create();
    await queues.send('lease', 'x');
    await queues.receive('lease', 1, 1_000);
    const again = await vi.waitFor(() => receiveOne(queues, 'lease'), { timeout: 5_000, interval: 100 });
    expect(again.dequeueCount).toBe(2);
  });

  it('renew a lease under a new receipt, and only for who received the message last', async () => {
    const queues = create();
    await queues.send('renew', 'x');
    const first = await receiveOne(queues, 'renew');
    const popReceipt = await queues.hide('renew', first, 0);
    expect(popReceipt).not.toBe(first.popReceipt);
    const second = await receiveOne(queues, 'renew');
    expect(await queues.hide('renew', first, longLeaseMs)).toBeUndefined();
    await queues.remove('renew', first);
    expect(await queues.hide('renew', second, 0)).toBeDefined();
  });

  it('remove a message for good', async () => {
    const queues = create();
    await queues.send('remove', 'x');
    const message = await receiveOne(queues, 'remove');
    await queues.remove('remove', message);
    await queues.remove('remove', message);
    expect(await queues.hide('remove', message, 0)).toBeUndefined();
  });

  it('give no more messages than asked for', async () => {
    const queues = create();
    for (const text of ['1', '2', '3']) {
      await queues.send('many', text);
    }
    expect(await queues.receive('many', 2, longLeaseMs)).toHaveLength(2);
    expect(await queues.receive('many', 2, longLeaseMs)).toHaveLength(1);
  });
});

async function receiveOne(queues: QueueSource, queue: string): Promise<QueueMessage> {
  const [message] = await queues.receive(queue, 1, 60_000);
  if (message === undefined) {
    throw new Error(`expected a visible message in ${queue}, found none`);
  }
  return message;
}
