/** Runs one step on one message: what may pass is put back with a delay, what fails for good goes to poison. */
import type { z } from 'zod';
import { isRetryable, PlimsollError } from '../domain/errors.ts';
import type { QueueName } from '../ports/queue.ts';
import type { PipelineContext } from './context.ts';
import { type Envelope, parseMessage } from './messages.ts';

/** What a step asks for where it did not finish; undefined where it is done. */
export type StepResult =
  | undefined
  /** Waiting behind somebody or for a document to become visible: no failure, uses up no try. */
  | { readonly waitMs: number }
  /** The registry has no such thing (yet): waits, and remembers since when. */
  | { readonly missing: true };

/** host.json `maxDequeueCount`: at this try the step itself names the cause on the poison queue. */
export const maxDequeueCount = 5;

type Queued = Envelope & { readonly missingSince?: string | undefined; readonly cause?: string | undefined };

/**
 * Resolves when the message may be deleted. Throws only the unforeseen, so that the host tries again, and
 * QUEUE_UNAVAILABLE where the message could not be put back.
 */
export async function runStep<T extends Queued>(
  context: PipelineContext,
  options: { readonly queue: QueueName; readonly schema: z.ZodType<T>; readonly dequeueCount: number },
  message: unknown,
  step: (context: PipelineContext, message: T) => Promise<StepResult>,
): Promise<void> {
  const { queue } = options;
  let parsed: T | undefined;
  try {
    parsed = parseMessage(options.schema, queue, message);
    const result = await step(context, parsed);
    if (result === undefined) return;
    if ('missing' in result) await putBackMissing(context, queue, parsed);
    else await putBack(context, queue, parsed, result.waitMs, 0);
  } catch (error) {
    if (error instanceof PlimsollError && error.code === 'QUEUE_UNAVAILABLE') throw error;
    if (parsed !== undefined && isRetryable(error)) {
      await putBackAfterError(context, queue, parsed, error as PlimsollError);
      return;
    }
    const final = error instanceof PlimsollError || options.dequeueCount >= maxDequeueCount;
    if (!final) throw error;
    await toPoison(context, queue, parsed ?? asObject(message), describe(error));
  }
}

/** Doubles from retryBaseMs with each attempt up to retryMaxMs. */
export function retryDelayMs(context: PipelineContext, attempt: number): number {
  const { retryBaseMs, retryMaxMs } = context.timings;
  return Math.min(retryBaseMs * 2 ** Math.min(attempt, 30), retryMaxMs);
}

/** Since when the thing has been missing is longer ago than a replication may lag. */
export function missingTooLong(context: PipelineContext, message: Queued): boolean {
  if (message.missingSince === undefined) return false;
  const since = Date.parse(message.missingSince);
  return context.ports.clock.now().getTime() - since >= context.timings.missingGraceMs;
}

/** One line for people: a PlimsollError's message, or the kind of an unforeseen error. */
export function describe(error: unknown): string {
  if (error instanceof PlimsollError) return `${error.code}: ${error.message}`.slice(0, 1_000);
  if (error instanceof Error) return `${error.name}: ${error.message}`.slice(0, 1_000);
  return 'unknown failure';
}

async function putBackAfterError(
  context: PipelineContext,
  queue: QueueName,
  message: Queued,
  error: PlimsollError,
): Promise<void> {
  context.ports.log.warn('put-back', {
    queue,
    code: error.code,
    attempt: message.attempt,
    detail: error.message,
  });
  const delayMs = Math.max(error.retryAfterMs ?? 0, retryDelayMs(context, message.attempt));
  await putBack(context, queue, message, Math.min(delayMs, context.timings.retryMaxMs), 1, describe(error));
}

async function putBackMissing(context: PipelineContext, queue: QueueName, message: Queued): Promise<void> {
  const missingSince = message.missingSince ?? context.ports.clock.now().toISOString();
  await putBack(context, queue, { ...message, missingSince }, context.timings.missingRetryMs, 0);
}

/** Enqueue first, then end normally: a crash between leaves twins, which are harmless. */
async function putBack(
  context: PipelineContext,
  queue: QueueName,
  message: Queued,
  delayMs: number,
  tries: number,
  cause = 'waited too long',
): Promise<void> {
  const ageMs = context.ports.clock.now().getTime() - Date.parse(message.firstEnqueuedAt);
  if (ageMs >= context.timings.giveUpAfterMs) {
    await toPoison(context, queue, message, cause);
    return;
  }
  await context.ports.queues.send(queue, { ...message, attempt: message.attempt + tries }, { delayMs });
}

/** A message of another shape as what a queue takes. */
function asObject(message: unknown): object {
  return typeof message === 'object' && message !== null ? message : { message };
}

async function toPoison(
  context: PipelineContext,
  queue: QueueName,
  message: object,
  cause: string,
): Promise<void> {
  context.ports.log.error('poison', { queue, cause });
  await context.ports.queues.send(`${queue}-poison`, { ...message, cause });
}
