/** In-memory queues with a pump's side, whose order a test can turn round or shuffle. */
import type { Clock } from '../../shared/ports/clock.ts';
import { encodeMessage } from '../../shared/ports/limits.ts';
import type { PoisonQueueName, QueueName, Queues } from '../../shared/ports/queue.ts';

export type AnyQueueName = QueueName | PoisonQueueName;

/** fifo: as sent; reverse: newest first; shuffle: as a generator with this seed throws. */
export type QueueOrder = 'fifo' | 'reverse' | { readonly shuffleSeed: number };

export interface ReceivedMessage {
  readonly queue: AnyQueueName;
  readonly id: string;
  /** Proves who received it last; each receive and release makes a new one. */
  readonly popReceipt: string;
  readonly dequeueCount: number;
  readonly body: object;
}

export interface WaitingMessage {
  readonly queue: AnyQueueName;
  readonly id: string;
  readonly dequeueCount: number;
  readonly body: object;
  /** Milliseconds since the epoch. */
  readonly visibleAtMs: number;
}

export interface MemoryQueues extends Queues {
  /** Visible messages, hidden from now on for visibilityMs. Nothing visible gives an empty list. */
  receive(
    queue: AnyQueueName,
    options?: { readonly max?: number; readonly visibilityMs?: number },
  ): Promise<readonly ReceivedMessage[]>;
  /** False where somebody else received it meanwhile, or it is gone. */
  remove(message: ReceivedMessage): Promise<boolean>;
  /** Makes it visible again after delayMs; false as in remove. */
  release(message: ReceivedMessage, delayMs?: number): Promise<boolean>;
  /** Everything that waits or is hidden, queue by queue in the order sent. */
  peekAll(queue?: AnyQueueName): readonly WaitingMessage[];
  /** When the next message becomes visible (past where one already is), or undefined where all is empty. */
  nextVisibleAt(queue?: AnyQueueName): number | undefined;
  /** Messages sent since the start, by queue. */
  sent(queue?: AnyQueueName): number;
  setOrder(order: QueueOrder): void;
}

/** Empty queues. Messages never expire; what goes in and comes out is plain JSON data. */
export function createMemoryQueues(options: {
  readonly clock: Clock;
  readonly order?: QueueOrder;
}): MemoryQueues {
  const nowMs = () => options.clock.now().getTime();
  const waiting = new Map<AnyQueueName, Map<string, Message>>();
  const sentByQueue = new Map<AnyQueueName, number>();
  let messagesMade = 0;
  let receiptsMade = 0;
  let order: QueueOrder = options.order ?? 'fifo';
  let random = generator(order);

  function arrange(messages: readonly Message[]): Message[] {
    if (order === 'fifo') return [...messages];
    if (order === 'reverse') return messages.toReversed();
    const shuffled = [...messages];
    for (let last = shuffled.length - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [shuffled[last], shuffled[other]] = [shuffled[other] as Message, shuffled[last] as Message];
    }
    return shuffled;
  }

  function queueOf(queue: AnyQueueName): Map<string, Message> {
    const messages = waiting.get(queue) ?? new Map<string, Message>();
    waiting.set(queue, messages);
    return messages;
  }

  function holds(received: ReceivedMessage): Message | undefined {
    const message = queueOf(received.queue).get(received.id);
    return message?.popReceipt === received.popReceipt ? message : undefined;
  }

  function all(queue?: AnyQueueName): Message[] {
    const queues = queue === undefined ? [...waiting.values()] : [queueOf(queue)];
    return queues.flatMap((messages) => [...messages.values()]);
  }

  return {
    async send(queue, message, { delayMs = 0 } = {}) {
      const text = encodeMessage(queue, message);
      messagesMade += 1;
      sentByQueue.set(queue, (sentByQueue.get(queue) ?? 0) + 1);
      const id = `message-${messagesMade}`;
      const visibleAtMs = nowMs() + delayMs;
      queueOf(queue).set(id, { queue, id, text, visibleAtMs, dequeueCount: 0, popReceipt: '' });
    },
    async depth(queue) {
      return queueOf(queue).size;
    },
    async receive(queue, { max = 1, visibilityMs = 30_000 } = {}) {
      const now = nowMs();
      const visible = all(queue).filter((one) => one.visibleAtMs <= now);
      return arrange(visible)
        .slice(0, max)
        .map((message) => {
          receiptsMade += 1;
          message.visibleAtMs = now + visibilityMs;
          message.dequeueCount += 1;
          message.popReceipt = `receipt-${receiptsMade}`;
          const { id, popReceipt, dequeueCount } = message;
          return { queue, id, popReceipt, dequeueCount, body: JSON.parse(message.text) as object };
        });
    },
    async remove(received) {
      const held = holds(received);
      return held !== undefined && queueOf(held.queue).delete(held.id);
    },
    async release(received, delayMs = 0) {
      const held = holds(received);
      if (held === undefined) return false;
      receiptsMade += 1;
      held.popReceipt = `receipt-${receiptsMade}`;
      held.visibleAtMs = nowMs() + delayMs;
      return true;
    },
    peekAll(queue) {
      return all(queue).map(({ text, popReceipt: _, ...rest }) => ({
        ...rest,
        body: JSON.parse(text) as object,
      }));
    },
    nextVisibleAt(queue) {
      const times = all(queue).map((one) => one.visibleAtMs);
      return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
    },
    sent(queue) {
      if (queue !== undefined) return sentByQueue.get(queue) ?? 0;
      return [...sentByQueue.values()].reduce((sum, count) => sum + count, 0);
    },
    setOrder(next) {
      order = next;
      random = generator(next);
    },
  };
}

interface Message {
  readonly queue: AnyQueueName;
  readonly id: string;
  readonly text: string;
  visibleAtMs: number;
  dequeueCount: number;
  popReceipt: string;
}

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
function generator(order: QueueOrder): () => number {
  let state = typeof order === 'string' ? 0 : order.shuffleSeed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
