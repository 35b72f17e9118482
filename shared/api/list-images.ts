/** `GET /api/images`: all digests, or those of one repository. */
import { z } from 'zod';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { type Digest, shards } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { PipelineContext } from '../pipeline/context.ts';
import type { ImageDocument } from '../pipeline/state/images.ts';
import type { PlaceDocument } from '../pipeline/state/places.ts';
import type { ApiContext } from './context.ts';
import type { ApiRequest, ApiResponse } from './http.ts';
import { viewImage } from './image-view.ts';
import { maxQueriesInFlight } from './index-leaves.ts';
import { invalidCursor, type PageRequest, page, readPage } from './paging.ts';
import { readPlaceFilter } from './place-filter.ts';

/** Most images of an index that a list goes into; a larger one is shown without them. */
const maxListedLeaves = 50;

/** Digests in order of digest; with `repository=registry/repository` those that stand there. */
export async function listImages(request: ApiRequest, { pipeline }: ApiContext): Promise<ApiResponse> {
  const filter = readPlaceFilter(request);
  const { repository, environment } = filter;
  const wanted = readPage(request);
  const found =
    repository === undefined
      ? await digestsOfAllShards(pipeline, wanted)
      : await digestsOfRepository(pipeline, repository, wanted);
  const places = {
    ...(repository === undefined ? {} : { repository }),
    ...(environment === undefined ? {} : { environment }),
  };
  const views = await mapConcurrently(found.digests, listedInFlight, (digest) =>
    viewImage(pipeline, digest, places, maxListedLeaves),
  );
  return page(
    views.filter((view) => view !== undefined),
    found.cursor,
  );
}

/** Images of a list that are looked up at one time; each one asks several questions. */
const listedInFlight = 4;

const maxShardsInFlight = 16;

interface FoundDigests {
  readonly digests: readonly Digest[];
  readonly cursor: string | undefined;
}

async function digestsOfRepository(
  context: PipelineContext,
  repository: string,
  { limit, cursor }: PageRequest,
): Promise<FoundDigests> {
  if (repository === '') throw new PlimsollError('INVALID_INPUT', 'repository: expected registry/repository');
  const found = await context.ports.documents.list<PlaceDocument>({
    container: 'places',
    partition: repository,
    type: 'place',
    equals: { state: 'active' },
    limit,
    ...(cursor === undefined ? {} : { cursor }),
  });
  return { digests: [...new Set(found.items.map((item) => item.value.digest))], cursor: found.cursor };
}

const shardCursorSchema = z.object({
  shard: z
    .number()
    .int()
    .min(0)
    .max(shards.length - 1),
  inner: z.string().optional(),
});

type ShardCursor = z.infer<typeof shardCursorSchema>;

/** Walks the shards in order, some at a time. A page ends where it is full; it may be short and still have a cursor. */
async function digestsOfAllShards(context: PipelineContext, wanted: PageRequest): Promise<FoundDigests> {
  const digests: Digest[] = [];
  let at: ShardCursor = wanted.cursor === undefined ? { shard: 0 } : readShardCursor(wanted.cursor);
  while (at.shard < shards.length) {
    const limit = wanted.limit - digests.length;
    const start = at;
    const batch = shards.slice(start.shard, start.shard + maxShardsInFlight);
    const read = await mapConcurrently(batch, maxQueriesInFlight, (shard, index) =>
      imagesOfShard(context, shard, limit, index === 0 ? start.inner : undefined),
    );
    for (const [index, found] of read.entries()) {
      // Of a shard whose images do not all fit nothing is taken: its cursor is only good for whole pages.
      if (digests.length > 0 && found.digests.length > wanted.limit - digests.length) break;
      digests.push(...found.digests);
      const shard = start.shard + index;
      at = found.cursor === undefined ? { shard: shard + 1 } : { shard, inner: found.cursor };
      if (found.cursor !== undefined || digests.length >= wanted.limit) break;
    }
    const isStuck = at.shard === start.shard && at.inner === start.inner;
    if (digests.length >= wanted.limit || isStuck || at.inner !== undefined) break;
  }
  return { digests, cursor: at.shard < shards.length ? writeShardCursor(at) : undefined };
}

async function imagesOfShard(
  context: PipelineContext,
  partition: string,
  limit: number,
  cursor: string | undefined,
): Promise<FoundDigests> {
  const found = await context.ports.documents.list<ImageDocument>({
    container: 'images',
    partition,
    type: 'image',
    limit,
    ...(cursor === undefined ? {} : { cursor }),
  });
  return { digests: found.items.map((item) => item.value.digest), cursor: found.cursor };
}

function writeShardCursor(cursor: ShardCursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

function readShardCursor(text: string): ShardCursor {
  try {
    return shardCursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) throw invalidCursor();
    throw error;
  }
}
