import { afterEach, describe, expect, it } from 'vitest';
import type { Policy } from '../../shared/domain/policy.ts';
import { sendOldOutboxes } from '../../shared/pipeline/send-outbox.ts';
import { syncAdvisories } from '../../shared/pipeline/sync-advisories.ts';
import { pushImage } from '../support/image-builder.ts';
import { feedOfRows } from './feed-of-rows.ts';
import { historyOf, verdictOf } from './reading.ts';
import { npmAdvisory, npmImage } from './sample-images.ts';
import { startWorld, type World } from './world.ts';

const lenient: Policy = {
  name: 'lenient',
  rules: [
    { id: 'all-findings', on: 'finding', outcome: 'warn' },
    { id: 'all-coverage', on: 'coverage', outcome: 'ignore' },
  ],
};

let world: World;

/** A judged image. */
async function start(): Promise<string> {
  world = await startWorld({ feed: feedOfRows([npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21')]) });
  await syncAdvisories(world.context);
  await world.settle();
  const image = npmImage('lodash', '4.17.15');
  await pushImage(world.registry.url, 'team/app', 'v1', image);
  await world.tellPush('team/app', 'v1', image.manifest.digest);
  await world.settle();
  return image.manifest.digest;
}

afterEach(async () => {
  await world.close();
});

describe('the configured policy', () => {
  it('is put in force by the timer and judges every image again', async () => {
    const digest = await start();
    expect(verdictOf(world.memory, digest).judged?.decision).toBe('fail');
    const instance = world.instance({ policy: lenient });
    world.clock.advance(300_000);
    await sendOldOutboxes(instance);
    await world.settle({ instances: [instance] });
    const { judged } = verdictOf(world.memory, digest);
    expect(judged?.decision).toBe('warn');
    expect(judged?.inputs.policy).toMatchObject({ name: 'lenient', revision: 1 });
  });

  it('that says the same as what is in force changes nothing', async () => {
    const digest = await start();
    const before = verdictOf(world.memory, digest);
    world.clock.advance(300_000);
    await sendOldOutboxes(world.context);
    await world.settle();
    expect(verdictOf(world.memory, digest)).toEqual(before);
  });

  it('that is taken away gives place to the default one', async () => {
    const digest = await start();
    for (const policy of [lenient, undefined]) {
      const instance = world.instance({ policy });
      world.clock.advance(300_000);
      await sendOldOutboxes(instance);
      await world.settle({ instances: [instance] });
    }
    expect(verdictOf(world.memory, digest).judged?.decision).toBe('fail');
    expect(historyOf(world.memory, digest)).toHaveLength(3);
  });
});
