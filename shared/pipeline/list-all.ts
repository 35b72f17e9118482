/** Walks every page of a query: a page may be short, or empty, and still have a next one. */
import type { DocumentBody, DocumentQuery, Documents, Stored } from '../ports/documents.ts';

/** The documents of the query one by one, in order of id. */
export async function* listAll<T extends DocumentBody>(
  documents: Documents,
  query: Omit<DocumentQuery, 'cursor'>,
): AsyncGenerator<Stored<T>> {
  let cursor: string | undefined;
  do {
    const page = await documents.list<T>({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
