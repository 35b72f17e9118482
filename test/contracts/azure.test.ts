/** The adapters for Azure keep the contracts: the real SDKs on the wire, against emulators that are processes of their own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenCredential } from '@azure/identity';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, describe, expect, it } from 'vitest';
import { createCosmosDocuments } from '../../shared/azure/cosmos-documents.ts';
import { createIdentity } from '../../shared/azure/identity.ts';
import { createKeyVaultSecrets } from '../../shared/azure/key-vault-secrets.ts';
import { createStorageBlobs } from '../../shared/azure/storage-blobs.ts';
import { createStorageQueues } from '../../shared/azure/storage-queues.ts';
import { type Emulators, startEmulators } from '../../shared/local/emulators/emulators.ts';
import { systemClock } from '../../shared/ports/clock.ts';
import { describeBlobs } from './blobs.contract.ts';
import { describeDocuments } from './documents.contract.ts';
import { describeQueues } from './queues.contract.ts';
import { describeSecrets } from './secrets.contract.ts';

const dataDir = await mkdtemp(join(tmpdir(), 'plimsoll-contracts-'));
const emulators: Emulators = await startEmulators({ dataDir });
// As App Service does it for its app: the identity's client reads these two by itself.
process.env['IDENTITY_ENDPOINT'] = emulators.env['IDENTITY_ENDPOINT'];
process.env['IDENTITY_HEADER'] = emulators.env['IDENTITY_HEADER'];
const credential: TokenCredential = createIdentity(setting('PLIMSOLL_IDENTITY_CLIENT_ID'));

afterAll(async () => {
  await emulators.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describeDocuments('documents on Cosmos DB', async () => {
  let offsetMs = 0;
  const clock = { now: () => new Date(Date.now() + offsetMs) };
  const [endpoint, database] = [setting('PLIMSOLL_COSMOS_ENDPOINT'), setting('PLIMSOLL_COSMOS_DATABASE')];
  return {
    session: () => createCosmosDocuments({ endpoint, database, credential, clock }),
    advance(durationMs) {
      offsetMs += durationMs;
    },
    settle: async () => {},
  };
});

describeQueues('queues on Azure Storage', async () => {
  const serviceUri = setting('PLIMSOLL_QUEUE_SERVICE_URI');
  const service = new QueueServiceClient(serviceUri, credential);
  return {
    queues: createStorageQueues({ serviceUri, credential }),
    async drain(queue) {
      const client = service.getQueueClient(queue);
      const bodies: unknown[] = [];
      while (true) {
        const { receivedMessageItems } = await client.receiveMessages({ numberOfMessages: 32 });
        if (receivedMessageItems.length === 0) return bodies;
        for (const message of receivedMessageItems) {
          bodies.push(JSON.parse(message.messageText));
          await client.deleteMessage(message.messageId, message.popReceipt);
        }
      }
    },
    pass: async () => {},
  };
});

describe('a message on Azure Storage', () => {
  it('never expires, and stands there as plain JSON text', async () => {
    const serviceUri = setting('PLIMSOLL_QUEUE_SERVICE_URI');
    await createStorageQueues({ serviceUri, credential }).send('refresh-jobs', { plain: '<ü>' });
    const client = new QueueServiceClient(serviceUri, credential).getQueueClient('refresh-jobs');
    const [message] = (await client.receiveMessages()).receivedMessageItems;
    expect(message?.messageText).toBe('{"plain":"<ü>"}');
    // Put Message: a time to live of -1 gives the last day that the service knows.
    expect(message?.expiresOn.getUTCFullYear()).toBe(9999);
    await client.clearMessages();
  });
});

describeBlobs('blobs on Azure Storage', async () =>
  createStorageBlobs({ serviceUri: setting('PLIMSOLL_BLOB_SERVICE_URI'), credential }),
);

describeSecrets('secrets in Key Vault', async () => {
  const vaultUri = setting('PLIMSOLL_KEY_VAULT_URI');
  return {
    reader: () =>
      createKeyVaultSecrets({
        vaultUri,
        credential,
        clock: systemClock,
        allowOtherAudience: true,
      }),
    set: (name, value) => emulators.setSecret(name, value),
  };
});

function setting(name: string): string {
  return emulators.env[name] ?? '';
}
