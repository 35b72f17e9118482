/** Documents of the container `images`: images, their verdicts at each place, the verdicts' history. */
import { type Digest, hexOf, shardOf } from '../../domain/digest.ts';
import { type Place, placeKey } from '../../domain/place.ts';
import type { Platform } from '../../domain/platform.ts';
import type { Decision, JudgedDecision, VerdictInputs, VerdictSummary } from '../../domain/verdict.ts';
import type { DocumentKey } from '../../ports/documents.ts';

/** What a digest is: a function of the digest, written once. Layers stand in the blob imageRecordBlob. */
export type ImageDocument = {
  readonly type: 'image';
  readonly digest: Digest;
  readonly mediaType: string;
} & (
  | {
      readonly kind: 'image';
      readonly platform: Platform;
      readonly sizeBytes: number;
      readonly layerCount: number;
    }
  | {
      readonly kind: 'index';
      readonly children: readonly { readonly digest: Digest; readonly platform: Platform | null }[];
    }
  | { readonly kind: 'artifact'; readonly artifactType: string }
);

/** A pair of history items whose difference is to be told. */
export interface OutboxEntry {
  /** What subscribers knew before; null for nothing. */
  readonly old: HistoryRef | null;
  readonly new: HistoryRef;
  /** Name of the changes blob, written before the entry. */
  readonly pair: string;
  /** The tag's arrival that this tells of; null where the digest was judged again or no tag reaches it. */
  readonly arrival: TagArrival | null;
}

/** A tag at one of its moves. */
export interface TagArrival {
  readonly tag: string;
  readonly sequence: number;
}

/** A history item, wherever it stands. */
export interface HistoryRef {
  readonly digest: Digest;
  /** inputsHash of its inputs. */
  readonly inputsHash: string;
}

export interface VerdictError {
  /** What failed and what to do, in one line; holds no secret. */
  readonly cause: string;
  /** The queue whose message failed. */
  readonly step: string;
  readonly at: string;
}

/** The current verdict of a digest at a place. */
export interface VerdictDocument {
  readonly type: 'verdict';
  readonly digest: Digest;
  readonly place: Place;
  /** Rises with every write. */
  readonly seq: number;
  /** Absent where nothing was judged yet and only an error is known. */
  readonly judged: {
    readonly inputs: VerdictInputs;
    readonly inputsHash: string;
    readonly decision: JudgedDecision;
    readonly summary: VerdictSummary;
    readonly judgedAt: string;
    readonly platform: Platform;
    /** analyzersHash of the oldest reading among the layers: the newest where all are up to date. */
    readonly analyzers: string;
    /** encodeKeyHashes of the image's package keys; null where they are too many: then always affected. */
    readonly keyHashes: string | null;
    /** From when time alone makes it judge otherwise; null where it does not. */
    readonly validUntil: string | null;
  } | null;
  /** inputsHash that subscribers were told last, or are about to be by the outbox; null while nothing was told. */
  readonly told: string | null;
  readonly outbox: readonly OutboxEntry[];
  /** From when the outbox timer should look here; null where nothing is to be told. RFC 3339. */
  readonly lookAt: string | null;
  /** The newest failure since the last good verdict. */
  readonly error: VerdictError | null;
  /** Why the place ended, where it did: deleted or gone. */
  readonly ended: { readonly reason: 'deleted' | 'gone'; readonly at: string } | null;
}

/** One verdict as it was, never changed. */
export interface HistoryDocument {
  readonly type: 'history';
  readonly digest: Digest;
  readonly place: Place;
  readonly inputs: VerdictInputs;
  readonly decision: JudgedDecision;
  readonly summary: VerdictSummary;
  readonly createdAt: string;
}

/** Which pair tells of a tag's arrival; fixed once, so that a repeat tells the same. */
export interface ToldDocument {
  readonly type: 'told';
  /** null where no tag reached the digest in time. */
  readonly arrival: TagArrival | null;
  readonly old: HistoryRef | null;
  readonly new: HistoryRef;
}

export function imageDocumentKey(digest: Digest): DocumentKey {
  return { container: 'images', partition: shardOf(digest), id: `image.${hexOf(digest)}` };
}

/** Ids of all verdicts of a digest start with this. */
export function verdictIdPrefix(digest: Digest): string {
  return `verdict.${hexOf(digest)}.`;
}

export function verdictKey(digest: Digest, place: Place): DocumentKey {
  return { container: 'images', partition: shardOf(digest), id: verdictIdPrefix(digest) + placeKey(place) };
}

/** Ids of a digest's history at a place start with this. */
export function historyIdPrefix(digest: Digest, place: Place): string {
  return `history.${hexOf(digest)}.${placeKey(place)}.`;
}

export function historyKey(ref: HistoryRef, place: Place): DocumentKey {
  return {
    container: 'images',
    partition: shardOf(ref.digest),
    id: historyIdPrefix(ref.digest, place) + ref.inputsHash,
  };
}

/** The marker of a digest's first telling at a place, or of a later arrival of a tag. */
export function toldKey(
  digest: Digest,
  place: Place,
  arrival?: { tag: string; sequence: number },
): DocumentKey {
  const suffix = arrival === undefined ? 'first' : `${arrival.tag}.${arrival.sequence}`;
  return {
    container: 'images',
    partition: shardOf(digest),
    id: `told.${hexOf(digest)}.${placeKey(place)}.${suffix}`,
  };
}

/** The decision that a reader sees: the judged one; `error` where only an error is known. */
export function visibleDecision(verdict: VerdictDocument): Decision {
  if (verdict.ended !== null) return 'pending';
  if (verdict.judged !== null) return verdict.judged.decision;
  return verdict.error === null ? 'pending' : 'error';
}
