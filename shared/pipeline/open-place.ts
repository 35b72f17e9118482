/** Writes that a digest stands at a place; a push opens an ended place again. */
import type { Digest } from '../domain/digest.ts';
import type { Place } from '../domain/place.ts';
import type { PipelineContext } from './context.ts';
import { type VerdictDocument, verdictKey } from './state/images.ts';
import { type PlaceDocument, placeDocumentKey } from './state/places.ts';
import { updateDocument } from './update-document.ts';

export interface PlaceFacts {
  readonly kind: PlaceDocument['kind'];
  readonly proven: boolean;
  readonly asOf: string;
  /** The index that names the digest, where one does. */
  readonly parent?: Digest;
}

/** Creates or raises the place document: nothing that was proven is forgotten while the place stays active. Returns it as
 *  it stands then. */
export async function openPlace(
  context: PipelineContext,
  place: Place,
  digest: Digest,
  facts: PlaceFacts,
): Promise<PlaceDocument | undefined> {
  const now = context.ports.clock.now().toISOString();
  let wasEnded = false;
  const key = placeDocumentKey(place, digest);
  const stored = await updateDocument<PlaceDocument>(context.ports.documents, key, (current) => {
    wasEnded = current?.state === 'ended';
    // Pushes come in any order: an earlier index does not take the place of a later one.
    const isNewestParent = facts.parent !== undefined && facts.asOf >= (current?.parentAsOf ?? '');
    const next: PlaceDocument = {
      type: 'place',
      place,
      digest,
      kind: facts.kind === 'unknown' ? (current?.kind ?? 'unknown') : facts.kind,
      state: 'active',
      ended: null,
      proven: facts.proven || (current?.state === 'active' && current.proven),
      parent: isNewestParent ? (facts.parent ?? null) : (current?.parent ?? null),
      parentAsOf: isNewestParent ? facts.asOf : (current?.parentAsOf ?? null),
      asOf: current === undefined || facts.asOf > current.asOf ? facts.asOf : current.asOf,
      firstSeenAt: current?.firstSeenAt ?? now,
    };
    return current !== undefined && same(current, next) ? undefined : next;
  });
  if (wasEnded) await reopenVerdict(context, place, digest);
  return stored?.value;
}

/** Writes even what is open: a delete that ends the verdict at this moment is refused then and looks again. */
async function reopenVerdict(context: PipelineContext, place: Place, digest: Digest): Promise<void> {
  await updateDocument<VerdictDocument>(context.ports.documents, verdictKey(digest, place), (current) =>
    current === undefined ? undefined : { ...current, seq: current.seq + 1, ended: null },
  );
}

function same(a: PlaceDocument, b: PlaceDocument): boolean {
  return (
    a.kind === b.kind &&
    a.state === b.state &&
    a.proven === b.proven &&
    a.parent === b.parent &&
    a.parentAsOf === b.parentAsOf &&
    a.asOf === b.asOf
  );
}
