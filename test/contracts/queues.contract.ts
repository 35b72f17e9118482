/** What every queue must do. */
import { describe, expect, it } from 'vitest';
import {
  maxMessageBytes,
  type PoisonQueueName,
  type QueueName,
  type Queues,
  queueNames,
} from '../../shared/ports/queue.ts';

export interface QueuesUnderTest {
  readonly queues: Queues;
  /** Bodies of the messages that are visible now, taken out for good. */
  drain(queue: QueueName | PoisonQueueName): Promise<readonly unknown[]>;
  /** Moves the clock that delays are measured by, where a test can. */
  pass(durationMs: number): Promise<void>;
}

/** Runs the suite against one kind of queue; `start` is called once, before the first test. */
export function describeQueues(name: string, start: () => Promise<QueuesUnderTest>): void {
  describe(name, () => {
    let started: Promise<QueuesUnderTest> | undefined;
    const underTest = (): Promise<QueuesUnderTest> => {
      started ??= start();
      return started;
    };
    const everyQueue = queueNames.flatMap((queue) => [queue, `${queue}-poison` as const]);

    it.for(everyQueue)('keeps what was sent to %s until it is taken', async (queue) => {
      const { queues, drain } = await underTest();
      await queues.send(queue, { to: queue });
      expect(await queues.depth(queue)).toBe(1);
      expect(await drain(queue)).toEqual([{ to: queue }]);
      expect(await queues.depth(queue)).toBe(0);
      expect(await drain(queue)).toEqual([]);
    });

    it('gives each of many messages once, whatever the order', async () => {
      const { queues, drain } = await underTest();
      const sent = Array.from({ length: 40 }, (_, n) => n);
      await Promise.all(sent.map((n) => queues.send('image-events', { n })));
      expect(await queues.depth('image-events')).toBe(40);
      const taken = (await drain('image-events')) as { readonly n: number }[];
      expect(taken.map(({ n }) => n).sort((a, b) => a - b)).toEqual(sent);
    });

    it('keeps the same message sent twice twice', async () => {
      const { queues, drain } = await underTest();
      await queues.send('judge-jobs', { same: true });
      await queues.send('judge-jobs', { same: true });
      expect(await drain('judge-jobs')).toEqual([{ same: true }, { same: true }]);
    });

    it.for<[string, object]>([
      ['markup', { text: '<a href="x">&amp; ]]> \' "' }],
      ['white space and control characters', { text: ' \t\r\n\u0000\u0001\u001f\u007f\u0085 ' }],
      ['characters that XML has not', { text: '\uffff\ufffe\ud800' }],
      ['other alphabets', { text: 'ü ß 漢字 😀 \u2028' }],
      ['nested values', { list: [1, null, { deep: [true, 1.5e300] }] }],
      ['an array', [1, 2]],
    ])('gives back %s exactly', async ([, message]) => {
      const { queues, drain } = await underTest();
      await queues.send('layer-jobs', message);
      expect(await drain('layer-jobs')).toEqual([JSON.parse(JSON.stringify(message))]);
    });

    it('shows a delayed message only when its delay is over, and counts it before', async () => {
      const { queues, drain, pass } = await underTest();
      await queues.send('deliveries', { late: true }, { delayMs: 2_000 });
      expect(await drain('deliveries')).toEqual([]);
      expect(await queues.depth('deliveries')).toBe(1);
      await pass(2_000);
      await expect
        .poll(() => drain('deliveries'), { timeout: 10_000, interval: 100 })
        .toEqual([{ late: true }]);
    });

    it('takes a message of exactly the limit in bytes and refuses one byte more', async () => {
      const { queues, drain } = await underTest();
      const overhead = Buffer.byteLength(JSON.stringify({ text: '' }));
      const text = `${'ü'.repeat(1000)}${'x'.repeat(maxMessageBytes - overhead - 2000)}`;
      await queues.send('rescan-pages', { text });
      expect(await drain('rescan-pages')).toEqual([{ text }]);
      const tooLarge = queues.send('rescan-pages', { text: `${text}x` });
      await expect(tooLarge).rejects.toMatchObject({ code: 'TOO_LARGE' });
      expect(await queues.depth('rescan-pages')).toBe(0);
    });
  });
}
