/** The images that an index leads to, through indexes inside it, each once. */
import { mapConcurrently } from '../base/map-concurrently.ts';
import type { Digest } from '../domain/digest.ts';
import { formatPlatform, type Platform, platformMatches } from '../domain/platform.ts';
import type { PipelineContext } from '../pipeline/context.ts';
import { type ImageDocument, imageDocumentKey } from '../pipeline/state/images.ts';

export type IndexDocument = Extract<ImageDocument, { kind: 'index' }>;

/** An image, an artifact, or a child that was not read yet. */
export interface IndexLeaf {
  readonly digest: Digest;
  /** As the image's config says; of one that was not read, as the index claims. */
  readonly platform: Platform | null;
  /** Absent while it was not read. */
  readonly image?: Exclude<ImageDocument, { kind: 'index' }>;
}

/** Questions to the store at one time for one request. */
export const maxQueriesInFlight = 16;

/** Indexes inside indexes are followed so deep; nobody builds deeper ones but to annoy. */
const maxDepth = 4;

/**
 * The leaves in the order in which the index leads to them; undefined where there are more than `maxLeaves`, or some
 * deeper than maxDepth: then nothing may be said of all of them. Every digest is read once: indexes that name one
 * another in layers would else grow with every layer (the index comes from outside).
 */
export async function leavesOf(
  context: PipelineContext,
  index: IndexDocument,
  maxLeaves: number,
): Promise<readonly IndexLeaf[] | undefined> {
  const seen = new Set<Digest>([index.digest]);
  const leaves: IndexLeaf[] = [];
  let level: readonly IndexDocument[] = [index];
  for (let depth = 0; depth < maxDepth && level.length > 0; depth += 1) {
    const children = level
      .flatMap((one) => one.children)
      .filter(({ digest }) => !seen.has(digest) && seen.add(digest));
    if (seen.size > maxLeaves + 1) return undefined;
    const read = await mapConcurrently(children, maxQueriesInFlight, async (child) => {
      const stored = await context.ports.documents.read<ImageDocument>(imageDocumentKey(child.digest));
      return { child, image: stored?.value };
    });
    const inside: IndexDocument[] = [];
    for (const { child, image } of read) {
      if (image === undefined) leaves.push(child);
      else if (image.kind === 'index') inside.push(image);
      else
        leaves.push({
          digest: child.digest,
          platform: image.kind === 'image' ? image.platform : null,
          image,
        });
    }
    level = inside;
  }
  return level.length === 0 ? leaves : undefined;
}

/** The leaves that have the platform; without one, all. */
export function leavesFor(
  leaves: readonly IndexLeaf[],
  platform: Platform | undefined,
): readonly IndexLeaf[] {
  return leaves.filter(
    (leaf) => platform === undefined || (leaf.platform !== null && platformMatches(platform, leaf.platform)),
  );
}

/** `os/architecture` of the leaves, sorted, each once. */
export function platformNames(leaves: readonly IndexLeaf[]): readonly string[] {
  return [...new Set(leaves.flatMap((leaf) => leaf.platform ?? []).map(formatPlatform))].sort();
}
