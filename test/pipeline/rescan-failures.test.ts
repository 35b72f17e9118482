import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PlimsollError } from '../../shared/domain/errors.ts';
import type { PipelineContext } from '../../shared/pipeline/context.ts';
import { startRescan } from '../../shared/pipeline/rescan.ts';
import { sendOldOutboxes } from '../../shared/pipeline/send-outbox.ts';
import {
  advisoriesKey,
  advisoriesRevisionKey,
  type RunDocument,
  runKey,
} from '../../shared/pipeline/state/config.ts';
import type { PendingDocument } from '../../shared/pipeline/state/deliveries.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import { pushImage } from '../support/image-builder.ts';
import { feedOfRows } from './feed-of-rows.ts';
import { deliveries, historyOf, verdictOf, verdicts } from './reading.ts';
import { npmAdvisory, npmImage } from './sample-images.ts';
import { startWorld, type World } from './world.ts';

const hourMs = 60 * 60 * 1_000;
const lodashAdvisory = npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21');
const minimistAdvisory = npmAdvisory('GHSA-test-minimist', 'minimist', '1.2.6', 'critical');

let world: World;

beforeEach(async () => {
  world = await startWorld({ feed: feedOfRows([lodashAdvisory]) });
  await syncAdvisories(world.context);
  await world.subscribe();
  await world.settle();
});

afterEach(async () => {
  await world.close();
});

async function push(repository: string, image: ReturnType<typeof npmImage>): Promise<string> {
  await pushImage(world.registry.url, repository, 'v1', image);
  await world.tellPush(repository, 'v1', image.manifest.digest);
  await world.settle();
  return image.manifest.digest;
}

async function runOf(run: string): Promise<RunDocument | undefined> {
  return (await world.context.ports.documents.read<RunDocument>(runKey(run)))?.value;
}

/** Another instance of the same world whose documents are read and written through these. */
function withDocuments(
  change: (
    documents: PipelineContext['ports']['documents'],
  ) => Partial<PipelineContext['ports']['documents']>,
  overrides: Partial<PipelineContext> = {},
): PipelineContext {
  const instance = world.instance(overrides);
  const { documents } = instance.ports;
  return { ...instance, ports: { ...instance.ports, documents: { ...documents, ...change(documents) } } };
}

describe('a rescan', () => {
  it('goes on behind an image that cannot be judged, which shows the error beside its last good verdict', async () => {
    const broken = await push('team/broken', npmImage('minimist', '0.0.1'));
    const sound = await push('team/sound', npmImage('minimist', '0.0.8'));
    await world.context.ports.blobs.remove('images', `${broken.slice(7)}.json.gz`);
    await startRescan(world.context, 'nothing');
    const instance = world.instance({ advisoryFeed: feedOfRows([lodashAdvisory, minimistAdvisory]) });
    await syncAdvisories(instance);
    await world.settle({ instances: [instance] });
    expect(historyOf(world.memory, sound)).toHaveLength(2);
    expect(verdictOf(world.memory, broken).judged?.decision).toBeDefined();
    expect(verdictOf(world.memory, broken).error?.cause).toMatch(/NOT_FOUND.*push or scan it again/);
    expect((await runOf('advisories-2'))?.completedAt).not.toBeNull();
  });

  it('that stands still is taken up once, not at every timer', async () => {
    await startRescan(world.context, 'daily');
    world.clock.advance(2 * hourMs);
    const before = world.memory.queues.sent('rescan-pages');
    for (let timer = 0; timer < 5; timer += 1) {
      await sendOldOutboxes(world.context);
      world.clock.advance(60_000);
    }
    expect(world.memory.queues.sent('rescan-pages')).toBe(before + 256);
  });

  it('that could not end in a day is closed', async () => {
    await startRescan(world.context, 'daily');
    for (const message of await world.memory.queues.receive('rescan-pages', { max: 1_000 })) {
      await world.memory.queues.remove(message);
    }
    world.clock.advance(25 * hourMs);
    const before = world.memory.queues.sent('rescan-pages');
    await sendOldOutboxes(world.context);
    expect((await runOf('daily'))?.completedAt).not.toBeNull();
    expect(world.memory.queues.sent('rescan-pages')).toBe(before);
  });

  it('ends and tells in a store whose first page of everything is empty', async () => {
    await push('team/app', npmImage('minimist', '0.0.8'));
    world.received.length = 0;
    const beforeAllIds = Buffer.from('!').toString('base64url');
    const instance = withDocuments(
      (documents) => ({
        list: async (query) =>
          query.cursor === undefined ? { items: [], cursor: beforeAllIds } : documents.list(query),
      }),
      { advisoryFeed: feedOfRows([lodashAdvisory, minimistAdvisory]) },
    );
    await syncAdvisories(instance);
    await world.settle({ instances: [instance] });
    expect(world.received).toHaveLength(1);
    expect(world.memory.queues.peekAll()).toEqual([]);
  });

  it('with more changes than one message can gather tells them in several, each change once', async () => {
    for (const version of ['0.0.6', '0.0.7', '0.0.8']) {
      await push(`team/app${version}`, npmImage('minimist', version));
    }
    world.received.length = 0;
    const huge = withDocuments(
      (documents) => ({
        create: (key, value, options) => {
          const pending = value as PendingDocument;
          const counted = pending.type === 'pending' ? { ...pending, changeCount: 90_000 } : value;
          return documents.create(key, counted, options);
        },
      }),
      { advisoryFeed: feedOfRows([lodashAdvisory, minimistAdvisory]) },
    );
    await syncAdvisories(huge);
    await world.settle({ instances: [huge] });
    expect(world.received).toHaveLength(3);
    expect(new Set(world.received.map((request) => request.headers['webhook-id'])).size).toBe(3);
    expect(world.memory.queues.peekAll()).toEqual([]);
  });
});

describe('a sync', () => {
  it('keeps under a number what came into force under it, also after a crash before that', async () => {
    const dying = withDocuments(
      (documents) => ({
        replace: async (key, ...rest) => {
          if (key.id === 'current') throw new RangeError('killed');
          return documents.replace(key, ...rest);
        },
      }),
      { advisoryFeed: feedOfRows([lodashAdvisory, minimistAdvisory]) },
    );
    await expect(syncAdvisories(dying)).rejects.toThrow('killed');
    const other = npmAdvisory('GHSA-test-other', 'left-pad', '9.9.9');
    const instance = world.instance({ advisoryFeed: feedOfRows([lodashAdvisory, other]) });
    await syncAdvisories(instance);
    const { documents } = world.context.ports;
    const [kept, current] = await Promise.all([
      documents.read(advisoriesRevisionKey(2)),
      documents.read(advisoriesKey),
    ]);
    expect(kept?.value).toEqual(current?.value);
  });
});

describe('the timer', () => {
  it('sends the other outboxes where one cannot be sent', async () => {
    const digests = [
      await push('team/app', npmImage('minimist', '0.0.6')),
      await push('team/next', npmImage('minimist', '0.0.7')),
      await push('team/last', npmImage('minimist', '0.0.8')),
    ].sort();
    world.received.length = 0;
    for (const [index, digest] of digests.entries()) {
      const dump = world.memory.documents.dump('images');
      const stored = dump.find((one) => one.value.type === 'verdict' && one.value['digest'] === digest);
      if (stored === undefined) throw new Error('no verdict');
      const [pair] = world.memory.blobs.names('changes').filter((name) => name.startsWith(digest.slice(7)));
      const ref = { digest, inputsHash: verdictOf(world.memory, digest).judged?.inputsHash };
      const entry = { old: null, new: ref, pair: index === 0 ? 'gone.json.gz' : pair, arrival: null };
      const verdict = { ...stored.value, outbox: [entry], lookAt: '2026-01-01T00:00:00.000Z' };
      await world.context.ports.documents.replace(stored, verdict, stored.etag);
    }
    await sendOldOutboxes(world.context);
    expect(verdicts(world.memory).filter((verdict) => verdict.outbox.length > 0)).toHaveLength(1);
  });
});

describe('a poison message', () => {
  it('whose failure cannot be written down yet waits until it can', async () => {
    const digest = await push('team/app', npmImage('minimist', '0.0.8'));
    world.clock.advance(hourMs);
    const now = world.clock.now().toISOString();
    await world.context.ports.queues.send('judge-jobs-poison', {
      asOf: now,
      attempt: 0,
      firstEnqueuedAt: now,
      cause: 'a test',
      place: verdictOf(world.memory, digest).place,
      imageDigest: digest,
      judgeCause: { kind: 'push' },
    });
    let isDown = true;
    const instance = withDocuments((documents) => ({
      read: async (key) => {
        if (isDown) throw new PlimsollError('STORE_UNAVAILABLE', 'down', { retryable: true });
        return documents.read(key);
      },
    }));
    await world.drainPoison(instance);
    expect(verdictOf(world.memory, digest).error).toBeNull();
    isDown = false;
    world.clock.advance(hourMs);
    await world.drainPoison(instance);
    expect(verdictOf(world.memory, digest).error?.cause).toBe('a test');
  });
});

describe('a delivery', () => {
  it('whose receiver asks for a year is tried again within a day', async () => {
    await world.close();
    let answers = 0;
    world = await startWorld({
      answer: () => {
        answers += 1;
        return answers === 1 ? { status: 503, retryAfterMs: 365 * 24 * hourMs } : { status: 204 };
      },
    });
    await world.subscribe();
    await push('team/app', npmImage('minimist', '0.0.8'));
    await world.settle({ withinMs: 25 * hourMs });
    expect(deliveries(world.memory).map((delivery) => delivery.status)).toEqual(['delivered']);
  });

  it('that waited a day for its turn survives a store that is down at that moment', async () => {
    await world.close();
    let answers = 0;
    world = await startWorld({
      timings: { deliveryDelaysMs: [24 * hourMs, hourMs] },
      answer: () => {
        answers += 1;
        return { status: answers === 1 ? 500 : 204 };
      },
    });
    await world.subscribe();
    const image = npmImage('minimist', '0.0.8');
    await pushImage(world.registry.url, 'team/app', 'v1', image);
    await world.tellPush('team/app', 'v1', image.manifest.digest);
    await world.settle({ withinMs: hourMs });
    expect(answers).toBe(1);
    world.clock.advance(23 * hourMs);
    let failures = 1;
    const instance = withDocuments((documents) => ({
      read: async (key) => {
        if (failures === 0) return documents.read(key);
        failures -= 1;
        throw new PlimsollError('STORE_UNAVAILABLE', 'down', { retryable: true });
      },
    }));
    await world.settle({ withinMs: 26 * hourMs, instances: [instance] });
    await world.drainPoison();
    expect(deliveries(world.memory).map((delivery) => delivery.status)).toEqual(['delivered']);
  });
});
