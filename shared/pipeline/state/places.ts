/** Documents of the container `places`: digests and tags of a repository, and what intake ignored. */
import { type Digest, hexOf } from '../../domain/digest.ts';
import { type Place, placeKey, repositoryKey } from '../../domain/place.ts';
import type { DocumentKey } from '../../ports/documents.ts';

/** A digest at a place. */
export interface PlaceDocument {
  readonly type: 'place';
  readonly place: Place;
  readonly digest: Digest;
  readonly kind: 'image' | 'index' | 'artifact' | 'unknown';
  /** Ended: kept, no longer rescanned, gate `pending`. */
  readonly state: 'active' | 'ended';
  readonly ended: { readonly reason: 'deleted' | 'gone'; readonly at: string } | null;
  /** True once every layer was proven to be in this repository, or has a layer issue; an ended place that is opened
   *  again is proven anew. */
  readonly proven: boolean;
  /** The newest index that names the digest as a child, at this place, and the moment of the push that said so. */
  readonly parent: Digest | null;
  readonly parentAsOf: string | null;
  readonly asOf: string;
  readonly firstSeenAt: string;
}

/** Where a tag points. */
export interface TagDocument {
  readonly type: 'tag';
  readonly tag: string;
  /** null where the tag was removed. */
  readonly digest: Digest | null;
  /** Rises with every move. */
  readonly sequence: number;
  readonly movedAt: string;
  /** Digests before this one, newest first, at most maxEarlierDigests. */
  readonly earlier: readonly Digest[];
  /** The last sequence that subscribers were told of. */
  readonly toldSequence: number;
}

/** How many earlier digests a tag remembers: a baseline is sought among them. */
export const maxEarlierDigests = 10;

/** An event that will not be scanned, kept for a week so that it can be shown. */
export interface IgnoredDocument {
  readonly type: 'ignored';
  readonly registry: string | null;
  readonly repositoryName: string | null;
  readonly reason: string;
  readonly detail: string | null;
  readonly at: string;
}

/** A failed event that names no digest, kept for a week. `reason` is `failed`, `detail` the cause. */
export const ignoredTtlSeconds = 7 * 24 * 60 * 60;

/** Partition of ignored events. */
export const intakePartition = 'intake';

export function placeDocumentKey(place: Place, digest: Digest): DocumentKey {
  return {
    container: 'places',
    partition: repositoryKey(place),
    id: `place.${hexOf(digest)}.${placeKey(place)}`,
  };
}

export function tagKey(place: Pick<Place, 'registry' | 'repository'>, tag: string): DocumentKey {
  return { container: 'places', partition: repositoryKey(place), id: `tag.${tag}` };
}

export function ignoredKey(id: string): DocumentKey {
  return { container: 'places', partition: intakePartition, id: `ignored.${id}` };
}
