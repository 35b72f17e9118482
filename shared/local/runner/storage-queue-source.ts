/** Storage queues (Azurite on one machine) as the runner polls them, through Azure's own client. */
import type { TokenCredential } from '@azure/identity';
import { type DequeuedMessageItem, type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import type { QueueMessage, QueueSource } from './queue-source.ts';

/** `uri` is the queue service's, without a queue; the credential is asked for tokens of Storage. */
export function createStorageQueueSource(uri: string, credential: TokenCredential): QueueSource {
  const service = new QueueServiceClient(uri, credential);
  const clients = new Map<string, QueueClient>();
  const clientOf = (queue: string): QueueClient => {
    const client = clients.get(queue) ?? service.getQueueClient(queue);
    clients.set(queue, client);
    return client;
  };
  return {
    async receive(queue, max, leaseMs) {
      const received = await unlessGone(
        clientOf(queue).receiveMessages({ numberOfMessages: max, visibilityTimeout: secondsOf(leaseMs) }),
      );
      return (received?.receivedMessageItems ?? []).map(toMessage);
    },
    async hide(queue, message, hiddenMs) {
      const updated = await unlessGone(
        clientOf(queue).updateMessage(message.id, message.popReceipt, undefined, secondsOf(hiddenMs)),
      );
      return updated?.popReceipt;
    },
    async remove(queue, message) {
      await unlessGone(clientOf(queue).deleteMessage(message.id, message.popReceipt));
    },
    async send(queue, text) {
      const options = { messageTimeToLive: -1 };
      const client = clientOf(queue);
      if ((await unlessGone(client.sendMessage(text, options))) === undefined) {
        await client.createIfNotExists();
        await client.sendMessage(text, options);
      }
    },
  };
}

/** Storage counts in whole seconds; less than one would make a message visible at once. */
function secondsOf(ms: number): number {
  return Math.ceil(ms / 1000);
}

/** Undefined where the queue or the message is not there, or another receiver has it (404 and 400 PopReceiptMismatch). */
async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error && 'statusCode' in error && 'code' in error) {
      if (error.statusCode === 404 || error.code === 'PopReceiptMismatch') {
        return undefined;
      }
    }
    throw error;
  }
}

function toMessage(item: DequeuedMessageItem): QueueMessage {
  return {
    id: item.messageId,
    popReceipt: item.popReceipt,
    text: item.messageText,
    dequeueCount: item.dequeueCount,
    insertedAt: item.insertedOn,
    expiresAt: item.expiresOn,
    nextVisibleAt: item.nextVisibleOn,
  };
}
