/** Where a judged image stands, past this instance's view wherever that view would end the job in silence. */
import type { PipelineContext } from './context.ts';
import type { JudgeJob } from './messages.ts';
import type { VerdictDocument } from './state/images.ts';
import { type PlaceDocument, placeDocumentKey, type TagDocument, tagKey } from './state/places.ts';
import { readNewest } from './update-document.ts';

/**
 * The place document: as this session sees it where that is a place like any other, else as it stands now. It sees the
 * move of a tag that the job names, so that the tags read after it do too. undefined where there is none.
 */
export async function judgedPlace(
  context: PipelineContext,
  job: JudgeJob,
  verdict: VerdictDocument | undefined,
): Promise<PlaceDocument | undefined> {
  const { documents } = context.ports;
  const key = placeDocumentKey(job.place, job.imageDigest);
  const seen = (await documents.read<PlaceDocument>(key))?.value;
  const isPlain = seen?.state === 'active' && seen.proven && verdict?.ended == null;
  const place = isPlain ? seen : (await readNewest<PlaceDocument>(documents, key))?.value;
  if (job.arrival === undefined || place === undefined) return place;
  const tag = await tagAt(context, job, job.arrival);
  if (tag?.digest == null || tag.digest === job.imageDigest || tag.digest === place.parent) return place;
  // The tag points to an index that this session does not see as the image's parent.
  return (await readNewest<PlaceDocument>(documents, key))?.value;
}

/** The tag at the move that the job names, or a later one. */
async function tagAt(
  context: PipelineContext,
  job: JudgeJob,
  arrival: NonNullable<JudgeJob['arrival']>,
): Promise<TagDocument | undefined> {
  const { documents } = context.ports;
  const key = tagKey(job.place, arrival.tag);
  const seen = (await documents.read<TagDocument>(key))?.value;
  if (seen !== undefined && seen.sequence >= arrival.sequence) return seen;
  return (await readNewest<TagDocument>(documents, key))?.value;
}
