/** Queues of the runner in memory, with the leases and receipts of Storage queues and a clock of real time. */
import type { QueueMessage, QueueSource } from '../../../shared/local/runner/queue-source.ts';

export interface MemoryQueueSource extends QueueSource {
  /** Texts of a queue, hidden ones too. */
  texts(queue: string): readonly string[];
}

interface Entry {
  readonly id: string;
  readonly text: string;
  readonly insertedAt: Date;
  popReceipt: string;
  dequeueCount: number;
  visibleAtMs: number;
}

export function createMemoryQueueSource(): MemoryQueueSource {
  const queues = new Map<string, Entry[]>();
  let made = 0;
  const find = (queue: string, message: QueueMessage): Entry | undefined =>
    queues.get(queue)?.find((one) => one.id === message.id && one.popReceipt === message.popReceipt);
  return {
    async receive(queue, max, leaseMs) {
      const nowMs = Date.now();
      const visible = (queues.get(queue) ?? []).filter((one) => one.visibleAtMs <= nowMs).slice(0, max);
      return visible.map((one) => {
        made += 1;
        one.popReceipt = `receipt-${made}`;
        one.dequeueCount += 1;
        one.visibleAtMs = nowMs + leaseMs;
        const { id, popReceipt, text, dequeueCount, insertedAt } = one;
        return {
          id,
          popReceipt,
          text,
          dequeueCount,
          insertedAt,
          expiresAt: undefined,
          nextVisibleAt: undefined,
        };
      });
    },
    async hide(queue, message, hiddenMs) {
      const found = find(queue, message);
      if (found === undefined) {
        return undefined;
      }
      made += 1;
      found.popReceipt = `receipt-${made}`;
      found.visibleAtMs = Date.now() + hiddenMs;
      return found.popReceipt;
    },
    async remove(queue, message) {
      const found = find(queue, message);
      queues.set(
        queue,
        (queues.get(queue) ?? []).filter((one) => one !== found),
      );
    },
    async send(queue, text) {
      made += 1;
      const entry = {
        id: `id-${made}`,
        text,
        insertedAt: new Date(),
        popReceipt: '',
        dequeueCount: 0,
        visibleAtMs: 0,
      };
      queues.set(queue, [...(queues.get(queue) ?? []), entry]);
    },
    texts: (queue) => (queues.get(queue) ?? []).map((one) => one.text),
  };
}
