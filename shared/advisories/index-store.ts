/** Where an index is stored, and the small record that points to the revision in force. */
import { z } from 'zod';
import type { AdvisoryRevision } from '../domain/advisory.ts';

/** Where the parts of the index lie: a blob container or a folder. Names are `a-z0-9-/` only. */
export interface IndexStore {
  /** The whole part or undefined. Throws TOO_LARGE past maxBytes. */
  read(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** False where the part exists (nothing is written then). */
  createOnce(name: string, bytes: Uint8Array): Promise<boolean>;
}

/** What points to a revision; small, so that a document can hold it. Replacing it is what publishes. */
export interface PublishedRevision extends AdvisoryRevision {
  readonly revision: number;
  /** Name of the manifest in the store. */
  readonly manifest: string;
  readonly recordCount: number;
  readonly rowCount: number;
  readonly keyCount: number;
  /** Packed bytes of all shards. */
  readonly sizeBytes: number;
}

/** Schema of PublishedRevision, for what was stored as JSON. */
export const publishedRevisionSchema = z.object({
  revision: z.int().min(1),
  contentHash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  newestAt: z.string().max(100),
  manifest: z.string().regex(/^manifests\/[0-9a-f]{40}$/),
  recordCount: z.int().min(0),
  rowCount: z.int().min(0),
  keyCount: z.int().min(0),
  sizeBytes: z.int().min(0),
});
