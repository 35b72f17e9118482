/** Ends a place: of a delete no event is believed, the registry is asked. */
import { type Digest, hexOf } from '../domain/digest.ts';
import { type Place, repositoryKey } from '../domain/place.ts';
import type { PipelineContext } from './context.ts';
import { listAll } from './list-all.ts';
import { type ImageEvent, newEnvelope } from './messages.ts';
import type { StepResult } from './run-step.ts';
import { type VerdictDocument, verdictKey } from './state/images.ts';
import { type PlaceDocument, placeDocumentKey } from './state/places.ts';
import { moveTag, tagsReaching } from './tags.ts';
import { readNewest, updateDocument } from './update-document.ts';

type DeleteEvent = Extract<ImageEvent, { kind: 'delete' }>;

const placesPerPage = 100;

/** A deleted tag is asked for again; a digest that is still there ends nothing; a deleted repository is walked. */
export async function confirmDelete(
  context: PipelineContext,
  place: Place,
  event: DeleteEvent,
): Promise<StepResult> {
  const { tag, digest } = event;
  if (tag !== undefined) await moveTag(context, place, tag);
  if (digest !== undefined) {
    const isGone = async () => !(await context.ports.registries.hasManifest(place, digest));
    await endPlace(context, place, digest, 'deleted', isGone);
    // A registry tells of the manifest alone and drops its tags, also where the manifest was pushed again since.
    for (const { tag: name } of await tagsReaching(context, place, [digest])) {
      await moveTag(context, place, name);
    }
    if (event.again !== true) await lookAgain(context, place, digest, event);
  }
  if (tag === undefined && digest === undefined) await walkRepository(context, place, event);
  return undefined;
}

/** Tags and the verdict that other instances wrote a moment before the delete may not be visible to this one. */
async function lookAgain(
  context: PipelineContext,
  place: Place,
  digest: Digest,
  event: DeleteEvent,
): Promise<void> {
  const { queues, clock } = context.ports;
  const again: ImageEvent = {
    ...newEnvelope(clock.now(), event.asOf),
    kind: 'delete',
    registry: place.registry,
    repository: place.repository,
    digest,
    again: true,
  };
  await queues.send('image-events', again, { delayMs: context.timings.staleRetryMs });
}

/**
 * Marks the digest as ended at the place: kept, not rescanned, not told. `isGone` asks the registry after the document was
 * read, and the write is conditional: a push that brings the digest back meanwhile is not undone. Returns false where the
 * registry has it after all.
 */
export async function endPlace(
  context: PipelineContext,
  place: Place,
  digest: Digest,
  reason: 'deleted' | 'gone',
  isGone: () => Promise<boolean>,
): Promise<boolean> {
  const { documents, clock, log } = context.ports;
  const key = placeDocumentKey(place, digest);
  // Another instance may have opened it a moment ago.
  await readNewest<PlaceDocument>(documents, key);
  const ended = { reason, at: clock.now().toISOString() };
  const stored = await updateDocument<PlaceDocument>(documents, key, async (current) => {
    if (current === undefined || current.state === 'ended' || !(await isGone())) return undefined;
    return { ...current, state: 'ended', ended };
  });
  if (stored === undefined) return true;
  if (stored.value.state !== 'ended') return false;
  await endVerdict(context, place, digest);
  log.info('place-ended', { reason, repository: place.repository, digest: hexOf(digest) });
  return true;
}

/** Follows the place; where a push opened it meanwhile nothing is done. */
async function endVerdict(context: PipelineContext, place: Place, digest: Digest): Promise<void> {
  const { documents } = context.ports;
  await updateDocument<VerdictDocument>(documents, verdictKey(digest, place), async (current) => {
    if (current === undefined || current.ended !== null) return undefined;
    const standing = await readNewest<PlaceDocument>(documents, placeDocumentKey(place, digest));
    if (standing === undefined || standing.value.state !== 'ended') return undefined;
    return { ...current, seq: current.seq + 1, ended: standing.value.ended };
  });
}

/** A repository was deleted: each digest known there is asked for. */
async function walkRepository(context: PipelineContext, place: Place, event: DeleteEvent): Promise<void> {
  const { documents, queues, clock } = context.ports;
  for await (const { value } of listAll<PlaceDocument>(documents, {
    container: 'places',
    partition: repositoryKey(place),
    type: 'place',
    equals: { state: 'active' },
    limit: placesPerPage,
  })) {
    await queues.send('image-events', {
      ...newEnvelope(clock.now(), event.asOf),
      kind: 'delete',
      registry: place.registry,
      repository: place.repository,
      digest: value.digest,
    } satisfies ImageEvent);
  }
}
