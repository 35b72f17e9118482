/** What is to be told of a verdict: compared with what subscribers knew, or with the image the tag pointed to before. */
import type { Digest } from '../domain/digest.ts';
import type { Platform } from '../domain/platform.ts';
import type { DocumentKey } from '../ports/documents.ts';
import { storeChangeSet } from './change-set.ts';
import type { PipelineContext } from './context.ts';
import type { Cause } from './messages.ts';
import {
  type HistoryRef,
  type OutboxEntry,
  type TagArrival,
  type ToldDocument,
  toldKey,
  type VerdictDocument,
} from './state/images.ts';
import type { PlaceDocument, TagDocument } from './state/places.ts';
import { baselineOf, markTold, tagsReaching } from './tags.ts';

export interface Tellings {
  readonly entries: readonly OutboxEntry[];
  /** inputsHash that subscribers know once the entries are sent; null where nothing is to be told yet. */
  readonly told: string | null;
  /** When to look again, RFC 3339; null where there is nothing more to tell. */
  readonly lookAt: string | null;
}

interface Subject {
  readonly placeDocument: PlaceDocument;
  readonly image: { readonly digest: Digest; readonly platform: Platform };
  readonly verdict: VerdictDocument | undefined;
  readonly current: HistoryRef;
  readonly cause: Cause;
}

/** Which pairs are to be told now that `current` is the newest history item of the image. Writes their change sets. */
export async function planTellings(context: PipelineContext, subject: Subject): Promise<Tellings> {
  const { placeDocument, verdict, current } = subject;
  const known = verdict?.told ?? null;
  if (placeDocument.state === 'ended') return { entries: [], told: known, lookAt: null };
  const digests = placeDocument.parent === null ? [] : [placeDocument.parent];
  const tags = await tagsReaching(context, placeDocument.place, [subject.image.digest, ...digests]);
  const entries: OutboxEntry[] = [];
  let told = known;
  if (told === null) {
    const first = await firstTelling(context, subject, tags);
    if (first === undefined) return { entries, told, lookAt: unreachedDeadline(context, placeDocument) };
    entries.push(...(await entryOf(context, subject, first.old, first.new, first.arrival, null)));
    told = first.new.inputsHash;
  }
  if (told !== current.inputsHash) {
    const before = { digest: current.digest, inputsHash: told };
    entries.push(...(await entryOf(context, subject, before, current, null, null, tags[0]?.tag ?? null)));
    told = current.inputsHash;
  }
  for (const tag of tags) {
    if (tag.toldSequence < tag.sequence)
      entries.push(...(await arrivalTelling(context, subject, tag, known)));
  }
  return { entries, told, lookAt: null };
}

/** The pair that tells of a digest for the first time at this place, fixed by its marker; undefined while no tag
 *  reaches the digest and it is too early to tell it without one. */
async function firstTelling(
  context: PipelineContext,
  subject: Subject,
  tags: readonly TagDocument[],
): Promise<ToldDocument | undefined> {
  const { place } = subject.placeDocument;
  const key = toldKey(subject.image.digest, place);
  const marked = await context.ports.documents.read<ToldDocument>(key);
  if (marked !== undefined) return marked.value;
  const tag = tags[0];
  if (tag === undefined) {
    const isTime =
      context.ports.clock.now().toISOString() >= unreachedDeadline(context, subject.placeDocument);
    return isTime ? mark(context, key, { arrival: null, old: null, new: subject.current }) : undefined;
  }
  const old = await baselineOf(context, place, tag, subject.image);
  return mark(context, key, { arrival: arrivalOf(tag), old, new: subject.current });
}

/** A tag that arrived at a digest which was told before. Without an earlier image to compare with there is nothing
 *  new to tell: subscribers know this digest's verdict. */
async function arrivalTelling(
  context: PipelineContext,
  subject: Subject,
  tag: TagDocument,
  known: string | null,
): Promise<readonly OutboxEntry[]> {
  const { place } = subject.placeDocument;
  const arrival = arrivalOf(tag);
  const first = await context.ports.documents.read<ToldDocument>(toldKey(subject.image.digest, place));
  const isFirst =
    first?.value.arrival?.tag === arrival.tag && first.value.arrival.sequence === arrival.sequence;
  if (!isFirst) {
    const key = toldKey(subject.image.digest, place, arrival);
    const marked = await context.ports.documents.read<ToldDocument>(key);
    const old = marked?.value.old ?? (await baselineOf(context, place, tag, subject.image));
    if (old !== null) {
      const telling = marked?.value ?? (await mark(context, key, { arrival, old, new: subject.current }));
      return entryOf(context, subject, telling.old, telling.new, arrival, arrival);
    }
  }
  // The first telling names this arrival itself; its entry marks the tag once it was sent.
  if (!isFirst || known !== null) await markTold(context, place, arrival);
  return [];
}

async function entryOf(
  context: PipelineContext,
  subject: Subject,
  old: HistoryRef | null,
  next: HistoryRef,
  arrival: TagArrival | null,
  moved: TagArrival | null,
  tag: string | null = arrival?.tag ?? null,
): Promise<readonly OutboxEntry[]> {
  const { place } = subject.placeDocument;
  const pair = await storeChangeSet(context, { place, old, new: next, tag, moved, cause: subject.cause });
  if (pair !== undefined) return [{ old, new: next, pair, arrival }];
  if (arrival !== null) await markTold(context, place, arrival);
  return [];
}

/** Fixes a telling once; who comes later takes what stands there. */
async function mark(
  context: PipelineContext,
  key: DocumentKey,
  telling: Omit<ToldDocument, 'type'>,
): Promise<ToldDocument> {
  const document: ToldDocument = { type: 'told', ...telling };
  if ((await context.ports.documents.create(key, document)) !== undefined) return document;
  return (await context.ports.documents.read<ToldDocument>(key))?.value ?? document;
}

function arrivalOf(tag: TagDocument): TagArrival {
  return { tag: tag.tag, sequence: tag.sequence };
}

function unreachedDeadline(context: PipelineContext, place: PlaceDocument): string {
  return new Date(Date.parse(place.firstSeenAt) + context.timings.tellUnreachedAfterMs).toISOString();
}
