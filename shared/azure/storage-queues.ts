/** Queues on Azure Storage. */
import type { TokenCredential } from '@azure/identity';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { encodeMessage } from '../ports/limits.ts';
import { type PoisonQueueName, type QueueName, type Queues, queueNames } from '../ports/queue.ts';
import { unavailable } from './sdk-errors.ts';

export interface StorageOptions {
  /** `https://<account>.queue.core.windows.net` or `https://127.0.0.1:<port>/<account>`. */
  readonly serviceUri: string;
  readonly credential: TokenCredential;
  /** Longest wait for an answer, both tries together. */
  readonly timeoutMs?: number;
}

/** A message never expires: the service's default drops it after seven days in silence. */
const neverExpires = -1;
/** Longest time that a message can be hidden (Put Message). */
const maxDelaySeconds = 7 * 24 * 60 * 60;
/** Two tries at once: a webhook has to answer within seconds, and its sender or a queue tries again. */
const retryOptions = { maxTries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 500 };

/** Sends text as it is, without base64: host.json says `messageEncoding: none`. */
export function createStorageQueues(options: StorageOptions): Queues {
  // The SDK's own limit of a try is only told to the service, which may not hear it.
  const timeLimit = () => AbortSignal.timeout(options.timeoutMs ?? 5_000);
  const service = new QueueServiceClient(options.serviceUri, options.credential, { retryOptions });
  const clients = new Map<string, QueueClient>();

  function clientOf(queue: QueueName | PoisonQueueName): QueueClient {
    const known = clients.get(queue) ?? service.getQueueClient(queue);
    clients.set(queue, known);
    return known;
  }

  return {
    async send(queue, message, { delayMs = 0 } = {}) {
      const text = encodeMessage(queue, message);
      const visibilityTimeout = Math.min(Math.ceil(delayMs / 1000), maxDelaySeconds);
      try {
        await clientOf(queue).sendMessage(text, {
          visibilityTimeout,
          messageTimeToLive: neverExpires,
          abortSignal: timeLimit(),
        });
      } catch (error) {
        throw unavailable('QUEUE_UNAVAILABLE', `sending a message to ${queue}`, error);
      }
    },
    async depth(queue) {
      try {
        return (
          (await clientOf(queue).getProperties({ abortSignal: timeLimit() })).approximateMessagesCount ?? 0
        );
      } catch (error) {
        throw unavailable('QUEUE_UNAVAILABLE', `asking the depth of ${queue}`, error);
      }
    },
  };
}

/** Makes every queue and its poison twin where they are missing. On Azure the deployment does. */
export async function ensureQueues(options: StorageOptions): Promise<void> {
  const service = new QueueServiceClient(options.serviceUri, options.credential, { retryOptions });
  const names = queueNames.flatMap((name) => [name, `${name}-poison`]);
  try {
    await Promise.all(names.map((name) => service.getQueueClient(name).createIfNotExists()));
  } catch (error) {
    throw unavailable('QUEUE_UNAVAILABLE', 'creating the queues', error);
  }
}
