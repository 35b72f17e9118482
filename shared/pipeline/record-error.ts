/** Writes why an image could not be judged beside what is known of it. */
import type { Digest } from '../domain/digest.ts';
import type { Place } from '../domain/place.ts';
import type { QueueName } from '../ports/queue.ts';
import type { PipelineContext } from './context.ts';
import { type VerdictDocument, verdictKey } from './state/images.ts';
import { updateDocument } from './update-document.ts';

export interface Failure {
  /** The queue whose message failed. */
  readonly step: QueueName;
  /** What failed and what to do, in one line. */
  readonly cause: string;
  /** When the work began, RFC 3339: a verdict that was judged later stays as it is. */
  readonly since: string;
}

/** The last good verdict stays; the error goes with the next one. */
export async function recordError(
  context: PipelineContext,
  image: { readonly place: Place; readonly digest: Digest },
  failure: Failure,
): Promise<void> {
  const { place, digest } = image;
  const { step, cause, since } = failure;
  const error = { cause, step, at: context.ports.clock.now().toISOString() };
  await updateDocument<VerdictDocument>(context.ports.documents, verdictKey(digest, place), (current) => {
    if (current === undefined) {
      return {
        type: 'verdict',
        digest,
        place,
        seq: 1,
        judged: null,
        told: null,
        outbox: [],
        lookAt: null,
        error,
        ended: null,
      };
    }
    const wasDone = current.judged !== null && current.judged.judgedAt >= since;
    return wasDone ? undefined : { ...current, seq: current.seq + 1, error };
  });
}
