/** Tags: where they point now, where they pointed before, and which of them reach a digest. */
import type { Digest } from '../domain/digest.ts';
import type { Place } from '../domain/place.ts';
import { repositoryKey } from '../domain/place.ts';
import { type Platform, platformMatches } from '../domain/platform.ts';
import type { PipelineContext } from './context.ts';
import { listAll } from './list-all.ts';
import {
  type HistoryRef,
  type ImageDocument,
  imageDocumentKey,
  type VerdictDocument,
  verdictKey,
} from './state/images.ts';
import { maxEarlierDigests, type TagDocument, tagKey } from './state/places.ts';
import { readNewest, updateDocument } from './update-document.ts';

const tagPageSize = 100;
/** Most tags of one repository that are looked at for one digest; a hostile pusher can set any number. */
const maxTagsReaching = 2_000;

/**
 * Asks the registry where the tag points now and writes that down; no event is believed about it. The question is
 * asked after the document was read and the write is conditional, so an older answer never overwrites a newer one.
 * Returns the tag as it stands, its digest null where the registry has it no more; undefined where it never had it.
 */
export async function moveTag(
  context: PipelineContext,
  place: Place,
  tag: string,
): Promise<TagDocument | undefined> {
  const { documents, registries } = context.ports;
  const key = tagKey(place, tag);
  let target: Digest | null = null;
  let isWritten = false;
  const follow = () =>
    updateDocument<TagDocument>(documents, key, async (current) => {
      target = (await registries.resolveTag(place, tag)) ?? null;
      isWritten = (current?.digest ?? null) !== target;
      return isWritten ? moved(context, current, tag, target) : undefined;
    });
  const followed = await follow();
  if (isWritten) return followed?.value;
  // This instance saw the tag there already; another may have moved it away a moment ago.
  const newest = await readNewest<TagDocument>(documents, key);
  return (newest?.value.digest ?? null) === target ? newest?.value : (await follow())?.value;
}

/** Tags that point to one of the digests, the one that moved last first. */
export async function tagsReaching(
  context: PipelineContext,
  place: Place,
  digests: readonly Digest[],
): Promise<readonly TagDocument[]> {
  const found: TagDocument[] = [];
  for (const digest of new Set(digests)) {
    for await (const { value } of listAll<TagDocument>(context.ports.documents, {
      container: 'places',
      partition: repositoryKey(place),
      type: 'tag',
      equals: { digest },
      limit: tagPageSize,
    })) {
      found.push(value);
      if (found.length >= maxTagsReaching) break;
    }
  }
  return found.sort((a, b) => compareText(b.movedAt, a.movedAt) || compareText(a.tag, b.tag));
}

/** The verdict of the newest earlier digest of the tag that has one at this place: what a first verdict is compared
 *  with. For an image of an index it is the same platform's image of the earlier index. */
export async function baselineOf(
  context: PipelineContext,
  place: Place,
  tag: TagDocument,
  image: { readonly digest: Digest; readonly platform: Platform },
): Promise<HistoryRef | null> {
  for (const earlier of tag.earlier) {
    const candidate = await imageOfPlatform(context, earlier, image.platform);
    if (candidate === undefined || candidate === image.digest) continue;
    const verdict = await context.ports.documents.read<VerdictDocument>(verdictKey(candidate, place));
    const judged = verdict?.value.judged;
    if (judged) return { digest: candidate, inputsHash: judged.inputsHash };
  }
  return null;
}

/** Notes that subscribers were told of the tag's arrival. */
export async function markTold(
  context: PipelineContext,
  place: Place,
  arrival: { readonly tag: string; readonly sequence: number },
): Promise<void> {
  await updateDocument<TagDocument>(context.ports.documents, tagKey(place, arrival.tag), (current) =>
    current === undefined || current.toldSequence >= arrival.sequence
      ? undefined
      : { ...current, toldSequence: arrival.sequence },
  );
}

function moved(
  context: PipelineContext,
  current: TagDocument | undefined,
  tag: string,
  digest: Digest | null,
): TagDocument {
  const before = current?.digest ?? null;
  const earlier = before === null ? (current?.earlier ?? []) : [before, ...(current?.earlier ?? [])];
  return {
    type: 'tag',
    tag,
    digest,
    sequence: (current?.sequence ?? 0) + 1,
    movedAt: context.ports.clock.now().toISOString(),
    earlier: [...new Set(earlier)].slice(0, maxEarlierDigests),
    toldSequence: current?.toldSequence ?? 0,
  };
}

async function imageOfPlatform(
  context: PipelineContext,
  digest: Digest,
  platform: Platform,
): Promise<Digest | undefined> {
  const stored = await context.ports.documents.read<ImageDocument>(imageDocumentKey(digest));
  const image = stored?.value;
  if (image === undefined || image.kind === 'artifact') return undefined;
  if (image.kind === 'image') return digest;
  return image.children.find((child) => child.platform !== null && platformMatches(platform, child.platform))
    ?.digest;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
