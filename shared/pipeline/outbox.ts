/** The outbox of a verdict: sent by whoever finds it, emptied only after every message is durable. */
import type { Stored } from '../ports/documents.ts';
import type { PipelineContext } from './context.ts';
import { fanOut } from './fan-out.ts';
import { type VerdictDocument, verdictKey } from './state/images.ts';
import { markTold } from './tags.ts';
import { updateDocument } from './update-document.ts';

/** Sends every entry, marks the tags as told and takes the entries out. Returns the document as it stands then. */
export async function sendOutbox(
  context: PipelineContext,
  stored: Stored<VerdictDocument>,
): Promise<Stored<VerdictDocument>> {
  const { digest, place, outbox } = stored.value;
  for (const entry of outbox) {
    await fanOut(context, entry.pair);
    if (entry.arrival !== null) await markTold(context, place, entry.arrival);
  }
  const sent = new Set(outbox.map((entry) => entry.pair));
  const after = await updateDocument<VerdictDocument>(
    context.ports.documents,
    verdictKey(digest, place),
    (current) => {
      const left = current?.outbox.filter((entry) => !sent.has(entry.pair)) ?? [];
      if (current === undefined || left.length === current.outbox.length) return undefined;
      return { ...current, outbox: left, lookAt: left.length === 0 ? null : current.lookAt };
    },
  );
  return after ?? stored;
}
