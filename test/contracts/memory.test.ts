/** The in-memory ports keep the same contracts as those on Azure. */
import { createMemoryBlobs } from '../support/memory-blobs.ts';
import { createMemoryDocuments } from '../support/memory-documents.ts';
import { createMemoryQueues } from '../support/memory-queues.ts';
import { createMemorySecrets } from '../support/memory-secrets.ts';
import { describeBlobs } from './blobs.contract.ts';
import { describeDocuments } from './documents.contract.ts';
import { describeQueues } from './queues.contract.ts';
import { describeSecrets } from './secrets.contract.ts';

function createTestClock(): { now(): Date; advance(durationMs: number): void } {
  let nowMs = Date.UTC(2026, 0, 1);
  return {
    now: () => new Date(nowMs),
    advance(durationMs) {
      nowMs += durationMs;
    },
  };
}

describeDocuments('documents in memory', async () => {
  const clock = createTestClock();
  const staleMs = 50;
  const store = createMemoryDocuments({ clock, staleMs });
  return { session: store.session, advance: clock.advance, settle: async () => clock.advance(staleMs) };
});

for (const order of ['fifo', 'reverse', { shuffleSeed: 7 }] as const) {
  describeQueues(`queues in memory, ${JSON.stringify(order)}`, async () => {
    const clock = createTestClock();
    const queues = createMemoryQueues({ clock, order });
    return {
      queues,
      async drain(queue) {
        const bodies: unknown[] = [];
        for (let batch = await queues.receive(queue, { max: 32 }); batch.length > 0; ) {
          for (const message of batch) {
            bodies.push(message.body);
            await queues.remove(message);
          }
          batch = await queues.receive(queue, { max: 32 });
        }
        return bodies;
      },
      pass: async (durationMs) => clock.advance(durationMs),
    };
  });
}

describeBlobs('blobs in memory', async () => createMemoryBlobs());

describeSecrets('secrets in memory', async () => {
  const secrets = createMemorySecrets();
  return { reader: () => secrets, set: async (name, value) => secrets.set(name, value) };
});
