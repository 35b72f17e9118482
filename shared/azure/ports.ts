/** All ports on Azure, from the settings alone: the one place where adapters are put together. */
import { isLoopbackHost } from '../base/addresses.ts';
import { createRegistryClient } from '../image/registry-client.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Ports } from '../ports/ports.ts';
import type { Sender } from '../ports/sender.ts';
import { createCosmosDocuments } from './cosmos-documents.ts';
import { createIdentity } from './identity.ts';
import { createKeyVaultSecrets } from './key-vault-secrets.ts';
import { createRegistryCredentials } from './registry-credentials.ts';
import type { Settings } from './settings.ts';
import { createStorageBlobs } from './storage-blobs.ts';
import { createStorageQueues } from './storage-queues.ts';

export interface PortParts {
  readonly sender: Sender;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Opens no connection before the first call, so that an app may be loaded while a service is down. */
export function createAzurePorts(settings: Settings, parts: PortParts): Ports {
  const clock = parts.clock ?? systemClock;
  const credential = createIdentity(settings.identityClientId);
  const { registries, loopback } = settings.registries;
  const webhookSecrets = new Set(
    [...registries, loopback].flatMap((registry) => registry?.webhookTokenSecret ?? []),
  );
  const secrets = createKeyVaultSecrets({
    vaultUri: settings.keyVaultUri,
    credential,
    clock,
    isCachedByReader: (name) => webhookSecrets.has(name),
    allowOtherAudience: settings.allowLoopback && isLoopbackHost(new URL(settings.keyVaultUri).host),
  });
  return {
    queues: createStorageQueues({ serviceUri: settings.queueServiceUri, credential }),
    documents: createCosmosDocuments({
      endpoint: settings.cosmosEndpoint,
      database: settings.cosmosDatabase,
      credential,
      clock,
    }),
    blobs: createStorageBlobs({ serviceUri: settings.blobServiceUri, credential }),
    secrets,
    registries: createRegistryClient({
      registries,
      allowLoopback: settings.allowLoopback,
      credentials: createRegistryCredentials(secrets, credential),
      now: () => clock.now(),
    }),
    sender: parts.sender,
    clock,
    log: parts.log,
  };
}
