/** `GET /api/intake`: events that were not scanned, with the reason, and how many of each. */
import { type IgnoredDocument, intakePartition } from '../pipeline/state/places.ts';
import type { ApiContext } from './context.ts';
import type { ApiRequest, ApiResponse } from './http.ts';
import { page, readPage } from './paging.ts';

/** Most events that are counted. */
const maxCounted = 5_000;
const countPageSize = 500;

/** The events of the last week in order of id; `reason` narrows it. The first page has the counts too. */
export async function listIntake(request: ApiRequest, context: ApiContext): Promise<ApiResponse> {
  const wanted = readPage(request);
  const { reason } = request.query;
  const found = await context.pipeline.ports.documents.list<IgnoredDocument>({
    container: 'places',
    partition: intakePartition,
    type: 'ignored',
    ...(reason === undefined ? {} : { equals: { reason } }),
    ...wanted,
  });
  const items = found.items.map(({ value }) => ({
    registry: value.registry,
    repository: value.repositoryName,
    reason: value.reason,
    detail: value.detail,
    at: value.at,
  }));
  return page(items, found.cursor, wanted.cursor === undefined ? { counts: await count(context) } : {});
}

interface Counts {
  /** `complete` is false where there are more than were counted. */
  readonly complete: boolean;
  readonly total: number;
  readonly byReason: Readonly<Record<string, number>>;
}

async function count({ pipeline }: ApiContext): Promise<Counts> {
  const byReason = new Map<string, number>();
  let total = 0;
  let cursor: string | undefined;
  do {
    const found = await pipeline.ports.documents.list<IgnoredDocument>({
      container: 'places',
      partition: intakePartition,
      type: 'ignored',
      limit: countPageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { value } of found.items) byReason.set(value.reason, (byReason.get(value.reason) ?? 0) + 1);
    total += found.items.length;
    cursor = found.cursor;
  } while (cursor !== undefined && total < maxCounted);
  return { complete: cursor === undefined, total, byReason: Object.fromEntries([...byReason].sort()) };
}
