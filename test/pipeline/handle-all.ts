/** Handles what waits on one queue, so that a test decides which instance does which step. */
import type { PipelineContext } from '../../shared/pipeline/context.ts';
import { handleMessage, type StepQueue } from '../../shared/pipeline/steps.ts';
import type { World } from './world.ts';

/** Hands each message that is visible now to the next of the instances; returns how many there were. */
export async function handleAll(
  world: World,
  queue: StepQueue,
  ...instances: readonly PipelineContext[]
): Promise<number> {
  const messages = await world.memory.queues.receive(queue, { max: 1_000 });
  for (const [index, message] of messages.entries()) {
    const instance = instances[index % instances.length] as PipelineContext;
    await handleMessage(instance, queue, message.body, message.dequeueCount);
    await world.memory.queues.remove(message);
  }
  return messages.length;
}
