/** What is known of a digest, as the API shows it: its verdicts at all places, and of an index its images. */
import { mapConcurrently } from '../base/map-concurrently.ts';
import { type Digest, shardOf } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { type Place, placeKey } from '../domain/place.ts';
import { formatPlatform, platformMatches } from '../domain/platform.ts';
import { type Decision, type VerdictSummary, worstDecision } from '../domain/verdict.ts';
import type { PipelineContext } from '../pipeline/context.ts';
import {
  type ImageDocument,
  imageDocumentKey,
  type VerdictDocument,
  type VerdictError,
  verdictIdPrefix,
  visibleDecision,
} from '../pipeline/state/images.ts';
import { type PlaceDocument, placeDocumentKey } from '../pipeline/state/places.ts';
import { tagsReaching } from '../pipeline/tags.ts';
import {
  type IndexDocument,
  type IndexLeaf,
  leavesFor,
  leavesOf,
  maxQueriesInFlight,
  platformNames,
} from './index-leaves.ts';
import { filterMatches, type PlaceFilter } from './place-filter.ts';

/** A verdict as the API shows it. */
export interface VerdictView {
  readonly place: Place;
  /** Tags that lead to the image, directly or by an index; the one that moved last first. */
  readonly tags: readonly string[];
  readonly decision: Decision;
  readonly asOf: string | null;
  readonly judgedAt: string | null;
  readonly summary: VerdictSummary | null;
  readonly error: VerdictError | null;
  readonly ended: VerdictDocument['ended'];
}

export interface ImageView {
  readonly digest: Digest;
  readonly kind: ImageDocument['kind'] | 'unknown';
  readonly mediaType: string | null;
  readonly platform: string | null;
  readonly sizeBytes: number | null;
  readonly artifactType: string | null;
  /** The worst of the verdicts, or of the children; `pending` where there is none yet; null for what is no image. */
  readonly decision: Decision | null;
  readonly verdicts: readonly VerdictView[];
  /** Of an index: its images; null for what is none, and where a list does not go into so many. */
  readonly children: readonly ImageView[] | null;
}

/** Most images of an index that are shown. */
export const maxShownLeaves = 1_000;
/** Most places of one digest that are shown. */
const maxVerdicts = 1_000;
const verdictsPerPage = 200;

/** The view, or undefined where the digest is unknown. Shows the verdicts and images that the filter means.
 *  Throws NOT_FOUND where there is none for the platform, naming those that there are. */
export async function viewImage(
  context: PipelineContext,
  digest: Digest,
  filter: PlaceFilter,
  maxLeaves = maxShownLeaves,
): Promise<ImageView | undefined> {
  const image = (await context.ports.documents.read<ImageDocument>(imageDocumentKey(digest)))?.value;
  if (image === undefined) return undefined;
  if (image.kind === 'index') return viewIndex(context, image, filter, maxLeaves);
  if (
    image.kind === 'image' &&
    filter.platform !== undefined &&
    !platformMatches(filter.platform, image.platform)
  ) {
    throw noSuchPlatform(digest, filter, [formatPlatform(image.platform)]);
  }
  return viewLeaf(
    context,
    { digest, platform: image.kind === 'image' ? image.platform : null, image },
    filter,
  );
}

/** The verdicts of a digest at the places that the filter means, as stored. */
export async function readVerdicts(
  context: PipelineContext,
  digest: Digest,
  filter: PlaceFilter,
): Promise<readonly VerdictDocument[]> {
  const found: VerdictDocument[] = [];
  let cursor: string | undefined;
  do {
    const next = await context.ports.documents.list<VerdictDocument>({
      container: 'images',
      partition: shardOf(digest),
      type: 'verdict',
      idPrefix: verdictIdPrefix(digest),
      limit: verdictsPerPage,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...next.items.map((item) => item.value));
    cursor = next.cursor;
  } while (cursor !== undefined && found.length < maxVerdicts);
  return found.filter((verdict) => filterMatches(filter, verdict.place));
}

/** NOT_FOUND that names the platforms there are. */
export function noSuchPlatform(digest: Digest, filter: PlaceFilter, names: readonly string[]): PlimsollError {
  const wanted = filter.platform === undefined ? 'any platform' : formatPlatform(filter.platform);
  const found = names.length === 0 ? 'none' : names.join(', ');
  return new PlimsollError('NOT_FOUND', `expected ${digest} to have an image for ${wanted}, found ${found}`);
}

async function viewIndex(
  context: PipelineContext,
  index: IndexDocument,
  filter: PlaceFilter,
  maxLeaves: number,
): Promise<ImageView> {
  const { digest, kind, mediaType } = index;
  const view = { ...emptyView, digest, kind, mediaType };
  const all = await leavesOf(context, index, maxLeaves);
  if (all === undefined) return { ...view, children: null };
  const leaves = leavesFor(all, filter.platform);
  if (leaves.length === 0 && filter.platform !== undefined)
    throw noSuchPlatform(digest, filter, platformNames(all));
  const children = await mapConcurrently(leaves, maxQueriesInFlight, (leaf) =>
    viewLeaf(context, leaf, filter),
  );
  const atIndex = await placesOfIndex(context, digest, children);
  const shown = children.map((child) => onlyAt(child, atIndex));
  const decisions = shown.flatMap((child) => (child.decision === null ? [] : [child.decision]));
  return { ...view, decision: worstDecision(decisions), children: shown };
}

async function viewLeaf(context: PipelineContext, leaf: IndexLeaf, filter: PlaceFilter): Promise<ImageView> {
  const { digest, image } = leaf;
  const platform = leaf.platform === null ? null : formatPlatform(leaf.platform);
  const view = { ...emptyView, digest, platform };
  if (image === undefined) return { ...view, decision: 'pending' };
  const { kind, mediaType } = image;
  if (image.kind === 'artifact') return { ...view, kind, mediaType, artifactType: image.artifactType };
  const verdicts = await mapConcurrently(
    await readVerdicts(context, digest, filter),
    maxQueriesInFlight,
    (verdict) => viewVerdict(context, verdict),
  );
  return { ...view, kind, mediaType, sizeBytes: image.sizeBytes, decision: worstOf(verdicts), verdicts };
}

const emptyView = {
  kind: 'unknown',
  mediaType: null,
  platform: null,
  sizeBytes: null,
  artifactType: null,
  decision: null,
  verdicts: [],
  children: null,
} as const;

async function viewVerdict(context: PipelineContext, verdict: VerdictDocument): Promise<VerdictView> {
  const { digest, place, judged, error, ended } = verdict;
  const standing = await context.ports.documents.read<PlaceDocument>(placeDocumentKey(place, digest));
  // People know an image of an index by the tag of the index.
  const parent = standing?.value.parent ?? null;
  const tags = await tagsReaching(context, place, parent === null ? [digest] : [digest, parent]);
  return {
    place,
    tags: [...new Set(tags.map((tag) => tag.tag))],
    decision: visibleDecision(verdict),
    asOf: judged?.inputs.asOf ?? null,
    judgedAt: judged?.judgedAt ?? null,
    summary: judged?.summary ?? null,
    error,
    ended,
  };
}

/** The worst decision of what stands somewhere; places that ended count only where there is no other. */
function worstOf(verdicts: readonly VerdictView[]): Decision {
  const standing = verdicts.filter((verdict) => verdict.ended === null);
  return worstDecision((standing.length > 0 ? standing : verdicts).map((verdict) => verdict.decision));
}

/** Keys of the places of the children at which the index stands too: a child may have been pushed elsewhere alone. */
async function placesOfIndex(
  context: PipelineContext,
  index: Digest,
  children: readonly ImageView[],
): Promise<ReadonlySet<string>> {
  const all = children.flatMap((child) => child.verdicts.map((verdict) => verdict.place));
  const places = [...new Map(all.map((place) => [placeKey(place), place]))];
  const standing = await mapConcurrently(places, maxQueriesInFlight, async ([key, place]) => {
    const stored = await context.ports.documents.read<PlaceDocument>(placeDocumentKey(place, index));
    return stored === undefined ? [] : [key];
  });
  return new Set(standing.flat());
}

function onlyAt(child: ImageView, keys: ReadonlySet<string>): ImageView {
  if (child.kind !== 'image') return child;
  const verdicts = child.verdicts.filter((verdict) => keys.has(placeKey(verdict.place)));
  return { ...child, verdicts, decision: worstOf(verdicts) };
}
