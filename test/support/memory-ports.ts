/** All in-memory ports together, for tests of the pipeline. */
import type { Clock } from '../../shared/ports/clock.ts';
import { systemClock } from '../../shared/ports/clock.ts';
import type { Log } from '../../shared/ports/log.ts';
import { silentLog } from '../../shared/ports/log.ts';
import type { Ports } from '../../shared/ports/ports.ts';
import type { MemoryBlobs } from './memory-blobs.ts';
import { createMemoryBlobs } from './memory-blobs.ts';
import type { MemoryDocuments } from './memory-documents.ts';
import { createMemoryDocuments } from './memory-documents.ts';
import type { MemoryQueues, QueueOrder } from './memory-queues.ts';
import { createMemoryQueues } from './memory-queues.ts';
import type { MemorySecrets } from './memory-secrets.ts';
import { createMemorySecrets } from './memory-secrets.ts';

export interface MemoryWorld {
  readonly documents: MemoryDocuments;
  readonly queues: MemoryQueues;
  readonly blobs: MemoryBlobs;
  readonly secrets: MemorySecrets;
  /** Ports of one instance: a document session of its own over the shared stores. */
  instance(): Ports;
}

/** One world that any number of instances work in. */
export function createMemoryWorld(options: {
  readonly clock?: Clock;
  readonly staleMs?: number;
  readonly order?: QueueOrder;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly log?: Log;
  readonly registries: Ports['registries'];
  readonly sender: Ports['sender'];
}): MemoryWorld {
  const clock = options.clock ?? systemClock;
  const stale = options.staleMs === undefined ? {} : { staleMs: options.staleMs };
  const order = options.order === undefined ? {} : { order: options.order };
  const documents = createMemoryDocuments({ clock, ...stale });
  const queues = createMemoryQueues({ clock, ...order });
  const blobs = createMemoryBlobs();
  const secrets = createMemorySecrets(options.secrets);
  const { registries, sender } = options;
  const log = options.log ?? silentLog;
  return {
    documents,
    queues,
    blobs,
    secrets,
    instance: () => ({
      documents: documents.session(),
      queues,
      blobs,
      secrets,
      registries,
      sender,
      clock,
      log,
    }),
  };
}
