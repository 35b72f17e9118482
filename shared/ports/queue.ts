/** The queues between the steps. At least once, in any order. */

/** Queue names, as Storage queues know them; each has a twin `<name>-poison`. */
export const queueNames = [
  'registry-events',
  'image-events',
  'layer-jobs',
  'judge-jobs',
  'rescan-pages',
  'refresh-jobs',
  'deliveries',
] as const;

export type QueueName = (typeof queueNames)[number];
export type PoisonQueueName = `${QueueName}-poison`;

/** Most bytes of a message as UTF-8 JSON: a Storage queue holds 64 KiB, less where a sender encodes as base64. */
export const maxMessageBytes = 48 * 1024;

export interface Queues {
  /** Resolves once the message is durable. It appears after `delayMs` and never expires.
   *  Throws QUEUE_UNAVAILABLE (retryable), TOO_LARGE past maxMessageBytes. */
  send(
    queue: QueueName | PoisonQueueName,
    message: object,
    options?: { readonly delayMs?: number },
  ): Promise<void>;
  /** About how many messages wait. Throws QUEUE_UNAVAILABLE. */
  depth(queue: QueueName | PoisonQueueName): Promise<number>;
}
