/** Ends a place: of a delete no event is believed, the registry is asked. */
import { type Digest, hexOf } from '../domain/digest.ts';
import { type Place, repositoryKey } from '../domain/place.ts';
import type { PipelineContext } from './context.ts';
import { type ImageEvent, newEnvelope } from './messages.ts';
import type { StepResult } from './run-step.ts';
import { type VerdictDocument, verdictKey } from './state/images.ts';
import { type PlaceDocument, placeDocumentKey } from './state/places.ts';
import { moveTag } from './tags.ts';
import { updateDocument } from './update-document.ts';

type DeleteEvent = Extract<ImageEvent, { kind: 'delete' }>;

const placesPerPage = 100;

/** A deleted tag is asked for again; a digest that is still there ends nothing; a deleted repository is walked. */
export async function confirmDelete(
  context: PipelineContext,
  place: Place,
  event: DeleteEvent,
): Promise<StepResult> {
  if (event.tag !== undefined) await moveTag(context, place, event.tag);
  if (event.digest !== undefined) {
    if (await context.ports.registries.hasManifest(place, event.digest)) return undefined;
    await endPlace(context, place, event.digest, 'deleted');
  }
  if (event.tag === undefined && event.digest === undefined) await walkRepository(context, place, event);
  return undefined;
}

/** Marks the digest as ended at the place: kept, not rescanned, not told. */
export async function endPlace(
  context: PipelineContext,
  place: Place,
  digest: Digest,
  reason: 'deleted' | 'gone',
): Promise<void> {
  const ended = { reason, at: context.ports.clock.now().toISOString() };
  await updateDocument<PlaceDocument>(context.ports.documents, placeDocumentKey(place, digest), (current) =>
    current === undefined || current.state === 'ended'
      ? undefined
      : { ...current, state: 'ended', ended, proven: false },
  );
  await updateDocument<VerdictDocument>(context.ports.documents, verdictKey(digest, place), (current) =>
    current === undefined || current.ended !== null ? undefined : { ...current, seq: current.seq + 1, ended },
  );
  context.ports.log.info('place-ended', { reason, repository: place.repository, digest: hexOf(digest) });
}

/** A repository was deleted: each digest known there is asked for. */
async function walkRepository(context: PipelineContext, place: Place, event: DeleteEvent): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await context.ports.documents.list<PlaceDocument>({
      container: 'places',
      partition: repositoryKey(place),
      type: 'place',
      equals: { state: 'active' },
      limit: placesPerPage,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const item of page.items) {
      await context.ports.queues.send('image-events', {
        ...newEnvelope(context.ports.clock.now(), event.asOf),
        kind: 'delete',
        registry: place.registry,
        repository: place.repository,
        digest: item.value.digest,
      } satisfies ImageEvent);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
