/** Which step a message of each queue is for. */
import type { z } from 'zod';
import type { QueueName } from '../ports/queue.ts';
import type { PipelineContext } from './context.ts';
import { deliver } from './deliver.ts';
import { judgeImage } from './judge-image.ts';
import {
  deliveryJobSchema,
  type Envelope,
  imageEventSchema,
  judgeJobSchema,
  layerJobSchema,
  rescanPageSchema,
} from './messages.ts';
import { planImage } from './plan-image.ts';
import { rescanPage } from './rescan-page.ts';
import { runStep, type StepResult } from './run-step.ts';
import { refreshLayer, scanLayer } from './scan-layer.ts';

/** Queues whose messages are ours; `registry-events` holds what registries wrote (api/receive-registry-event.ts). */
export type StepQueue = Exclude<QueueName, 'registry-events'>;

type Handler = (context: PipelineContext, message: unknown, dequeueCount: number) => Promise<void>;

const handlers: Readonly<Record<StepQueue, Handler>> = {
  'image-events': handler('image-events', imageEventSchema, planImage),
  'layer-jobs': handler('layer-jobs', layerJobSchema, scanLayer),
  'judge-jobs': handler('judge-jobs', judgeJobSchema, judgeImage),
  'rescan-pages': handler('rescan-pages', rescanPageSchema, rescanPage),
  'refresh-jobs': handler('refresh-jobs', layerJobSchema, refreshLayer),
  deliveries: handler('deliveries', deliveryJobSchema, deliver),
};

/** Runs the queue's step on a message; see runStep for what it throws. */
export function handleMessage(
  context: PipelineContext,
  queue: StepQueue,
  message: unknown,
  dequeueCount: number,
): Promise<void> {
  return handlers[queue](context, message, dequeueCount);
}

function handler<T extends Envelope>(
  queue: StepQueue,
  schema: z.ZodType<T>,
  step: (context: PipelineContext, message: T) => Promise<StepResult>,
): Handler {
  return (context, message, dequeueCount) => runStep(context, { queue, schema, dequeueCount }, message, step);
}
