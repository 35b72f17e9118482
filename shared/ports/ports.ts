/** Everything outside, in one value: what a step of the pipeline may touch. */
import type { Blobs } from './blobs.ts';
import type { Clock } from './clock.ts';
import type { Documents } from './documents.ts';
import type { Log } from './log.ts';
import type { Queues } from './queue.ts';
import type { Registries } from './registry.ts';
import type { Secrets } from './secrets.ts';
import type { Sender } from './sender.ts';

export interface Ports {
  readonly queues: Queues;
  readonly documents: Documents;
  readonly blobs: Blobs;
  readonly secrets: Secrets;
  readonly registries: Registries;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly log: Log;
}
