/** The one query of the document store as Cosmos DB's SQL. */
import type { SqlQuerySpec } from '@azure/cosmos';
import { PlimsollError } from '../domain/errors.ts';
import { containers, type DocumentQuery } from '../ports/documents.ts';
import { decodeCursor } from '../ports/limits.ts';

/**
 * Documents of one partition in order of id. Values are parameters; property names stand in the text, so they are
 * checked. The partition key stands in the condition too, for the emulator heeds no other way to give it.
 * Throws INVALID_INPUT for a property that is no plain name and for a cursor that no page handed out.
 */
export function documentQuerySpec(query: DocumentQuery): SqlQuerySpec {
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
    add(`c.body.${checkedProperty(property)} = @equals${index}`, `@equals${index}`, value);
  }
  if (query.below !== undefined) {
    const path = `c.body.${checkedProperty(query.below.property)}`;
    add(`(IS_STRING(${path}) AND ${path} < @below)`, '@below', query.below.value);
  }
  const text = `SELECT c.id, c.body, c._etag, c.expiresAtMs FROM c WHERE ${conditions.join(' AND ')} ORDER BY c.id`;
  return { query: text, parameters };
}

function checkedProperty(property: string): string {
  // Words of the query language would need quotes, which the emulator reads otherwise.
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(property) || queryWords.has(property.toLowerCase())) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `a property to query by must be a plain name, found ${JSON.stringify(property.slice(0, 40))}`,
    );
  }
  return property;
}

/** Reserved in Cosmos DB's query language ("Keywords in Azure Cosmos DB"). */
const queryWords = new Set([
  ...[
    'and',
    'array',
    'as',
    'asc',
    'between',
    'by',
    'case',
    'cast',
    'convert',
    'cross',
    'desc',
    'distinct',
    'else',
  ],
  ...[
    'end',
    'escape',
    'exists',
    'false',
    'for',
    'from',
    'group',
    'having',
    'in',
    'inner',
    'insert',
    'into',
    'is',
  ],
  ...[
    'join',
    'left',
    'like',
    'limit',
    'not',
    'null',
    'offset',
    'on',
    'or',
    'order',
    'outer',
    'over',
    'right',
  ],
  ...['select', 'set', 'then', 'top', 'true', 'udf', 'undefined', 'update', 'value', 'when', 'where', 'with'],
]);
