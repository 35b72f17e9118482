/** Lists of the API: `limit` and `cursor` in, `{items, cursor}` out. */
import { PlimsollError } from '../domain/errors.ts';
import { type ApiRequest, type ApiResponse, json } from './http.ts';

/** Most items of one page, and how many it has where nobody says. */
export const maxPageSize = 200;
export const defaultPageSize = 50;

/** Longest cursor in characters: those of the document store are a few hundred. */
const maxCursorLength = 4_000;

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string;
}

/** Throws INVALID_INPUT where `limit` is no number from 1 to maxPageSize, or `cursor` can be none. */
export function readPage(request: Pick<ApiRequest, 'query'>): PageRequest {
  const { limit: limitText, cursor } = request.query;
  const limit =
    limitText === undefined ? defaultPageSize : /^\d{1,4}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > maxPageSize) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `limit: expected a whole number from 1 to ${maxPageSize}, found "${limitText?.slice(0, 20)}"`,
    );
  }
  if (cursor === undefined || cursor === '') return { limit };
  if (cursor.length > maxCursorLength) throw invalidCursor();
  return { limit, cursor };
}

/** A page; `cursor` is null on the last one. */
export function page(
  items: readonly unknown[],
  cursor: string | undefined,
  more: Readonly<Record<string, unknown>> = {},
): ApiResponse {
  return json(200, { items, cursor: cursor ?? null, ...more });
}

/** A cursor that nobody handed out. */
export function invalidCursor(): PlimsollError {
  return new PlimsollError(
    'INVALID_INPUT',
    'cursor: expected the cursor of the page before, found another text',
  );
}
