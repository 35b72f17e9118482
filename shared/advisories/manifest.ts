/** The manifest of one revision of the index: which shards it is made of, and what is kept beside them. */
import { z } from 'zod';
import { PlimsollError } from '../domain/errors.ts';
import { type ChangeLog, decodeChangeLog, emptyChangeLog, maxChangeLogBytes } from './change-log.ts';
import { contentName, maxManifestBytes, parseOwn, unpack } from './index-format.ts';
import type { IndexStore } from './index-store.ts';

/** One ecosystem with its suffix, cut into 2^bits shards by the hash of the package key. */
export interface EcosystemShards {
  readonly name: string;
  readonly bits: number;
  /** Length of all names and rows in their fixed form; what bits follow from. */
  readonly weight: number;
  readonly rows: number;
  readonly keys: number;
  readonly sizeBytes: number;
  /** Content name of each shard, `-` for one without keys. */
  readonly shards: readonly string[];
}

/** One folder of the bucket: an ecosystem without suffix. */
export interface EcosystemFolder {
  readonly ecosystem: string;
  /** Records that have rows. */
  readonly records: number;
  /** Name of the part that lists id and `modified` of every record that was read, for the next comparison. */
  readonly modified?: string | undefined;
}

export interface Manifest {
  readonly revision: number;
  readonly ecosystems: readonly EcosystemShards[];
  /** Changes after this revision are known; their keys are in `changes`, where there are any. */
  readonly changesSince: number;
  readonly changes?: string | undefined;
  readonly folders: readonly EcosystemFolder[];
  /** Name of the part with the CVE ratings that the rows were made with; undefined for none. */
  readonly cveRatings?: string | undefined;
}

const nameList = z.string().regex(/^((-|[0-9a-f]{40})(,(-|[0-9a-f]{40}))*)$/);

const schema = z.object({
  revision: z.int().min(1),
  ecosystems: z.array(
    z.object({
      name: z.string(),
      bits: z.int().min(0).max(20),
      weight: z.int(),
      rows: z.int(),
      keys: z.int(),
      sizeBytes: z.int(),
      shards: nameList.transform((text) => text.split(',')),
    }),
  ),
  changesSince: z.int(),
  changes: z
    .string()
    .regex(/^changes\/[0-9a-f]{40}$/)
    .optional(),
  folders: z.array(
    z.object({
      ecosystem: z.string(),
      records: z.int(),
      modified: z
        .string()
        .regex(/^records\/[0-9a-f]{40}$/)
        .optional(),
    }),
  ),
  cveRatings: z
    .string()
    .regex(/^ratings\/[0-9a-f]{40}$/)
    .optional(),
});

export function encodeManifest(manifest: Manifest): string {
  return JSON.stringify({
    ...manifest,
    ecosystems: manifest.ecosystems.map((one) => ({ ...one, shards: one.shards.join(',') })),
  });
}

/** Reads the manifest of a revision. Throws ADVISORIES_MISSING where it is gone, ADVISORIES_INVALID where it is none. */
export async function readManifest(store: IndexStore, name: string): Promise<Manifest> {
  const parsed = schema.safeParse(
    parseOwn((await readPart(store, name, maxManifestBytes)).toString('utf8'), name),
  );
  if (!parsed.success) {
    throw new PlimsollError(
      'ADVISORIES_INVALID',
      `${name}: expected a manifest of advisories, found another form`,
      {
        cause: parsed.error,
      },
    );
  }
  return parsed.data;
}

/** One part, unpacked and checked against its name. */
export async function readPart(store: IndexStore, name: string, maxBytes: number): Promise<Buffer> {
  const packed = await store.read(name, maxBytes);
  if (packed === undefined) {
    throw new PlimsollError(
      'ADVISORIES_MISSING',
      `${name}: expected a part of the advisory index, found nothing; synchronise the advisories anew`,
    );
  }
  return unpack(packed, name, maxBytes);
}

/** Name of a part with this content. */
export function partName(
  kind: 'changes' | 'manifests' | 'ratings' | 'records',
  content: string | Uint8Array,
): string {
  return `${kind}/${contentName(content)}`;
}

export function shardPart(name: string): string {
  return `shards/${name}`;
}

/** The change log that a manifest names. */
export async function readChangeLog(store: IndexStore, manifest: Manifest): Promise<ChangeLog> {
  return manifest.changes === undefined
    ? emptyChangeLog(manifest.changesSince)
    : decodeChangeLog(manifest.changesSince, await readPart(store, manifest.changes, maxChangeLogBytes));
}
