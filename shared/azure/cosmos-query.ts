/** The one query of the document store as Cosmos DB's SQL. */
import type { SqlQuerySpec } from '@azure/cosmos';
import { containers, type DocumentQuery } from '../ports/documents.ts';
import { checkQueryProperties, decodeCursor } from '../ports/limits.ts';

/**
 * Documents of one partition in order of id. Values are parameters; property names stand in the text, so they are
 * checked. The partition key stands in the condition too, for the emulator heeds no other way to give it.
 * Throws INVALID_INPUT for a property that is no plain name and for a cursor that no page handed out.
 */
export function documentQuerySpec(query: DocumentQuery): SqlQuerySpec {
  checkQueryProperties(query);
  const conditions = [`c.${containers[query.container].partitionKey} = @partition`, 'c.body.type = @type'];
  const parameters: NonNullable<SqlQuerySpec['parameters']> = [
    { name: '@partition', value: query.partition },
    { name: '@type', value: query.type },
  ];
  const add = (condition: string, name: string, value: string | number | boolean | null): void => {
    conditions.push(condition);
    parameters.push({ name, value });
  };
  if (query.cursor !== undefined) add('c.id > @after', '@after', decodeCursor(query.cursor));
  if (query.idPrefix !== undefined) add('STARTSWITH(c.id, @idPrefix)', '@idPrefix', query.idPrefix);
  for (const [index, [property, value]] of Object.entries(query.equals ?? {}).entries()) {
    add(`c.body.${property} = @equals${index}`, `@equals${index}`, value);
  }
  if (query.below !== undefined) {
    const path = `c.body.${query.below.property}`;
    add(`(IS_STRING(${path}) AND ${path} < @below)`, '@below', query.below.value);
  }
  const text = `SELECT c.id, c.body, c._etag, c.expiresAtMs FROM c WHERE ${conditions.join(' AND ')} ORDER BY c.id`;
  return { query: text, parameters };
}
