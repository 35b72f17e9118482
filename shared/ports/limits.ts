/** What every adapter refuses before it sends anything, so that all of them refuse the same. */
import { PlimsollError } from '../domain/errors.ts';
import type { DocumentBody, DocumentKey, DocumentQuery } from './documents.ts';
import { maxDocumentBytes } from './documents.ts';
import { maxMessageBytes } from './queue.ts';

/** Longest id of a document in bytes (Cosmos DB). */
const maxIdBytes = 1023;
/** Longest partition key value in bytes (Cosmos DB: 2 KB). */
const maxPartitionBytes = 2048;
/** Longest blob name in characters (Blob Storage). */
const maxBlobNameLength = 1024;

/** Throws INVALID_INPUT where the store could not hold the key as it is. */
export function checkDocumentKey(key: Pick<DocumentKey, 'container' | 'partition' | 'id'>): void {
  const idBytes = Buffer.byteLength(key.id);
  // A trailing space is cut by some gateways, so two ids would become one.
  if (idBytes === 0 || idBytes > maxIdBytes || /[/\\?#]|\s$/u.test(key.id)) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `a document id in ${key.container} must have 1 to ${maxIdBytes} bytes without / \\ ? # and no space at its end, found ${JSON.stringify(key.id.slice(0, 80))}`,
    );
  }
  checkPartition(key.container, key.partition);
}

/** Throws INVALID_INPUT where a partition key value is empty or too long. */
export function checkPartition(container: string, partition: string): void {
  const bytes = Buffer.byteLength(partition);
  if (bytes === 0 || bytes > maxPartitionBytes) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `a partition key in ${container} must have 1 to ${maxPartitionBytes} bytes, found ${bytes}`,
    );
  }
}

/** Throws INVALID_INPUT for a property to query by that is no plain name: names stand in the text of a query. */
export function checkQueryProperties(query: DocumentQuery): void {
  const properties = [
    ...Object.keys(query.equals ?? {}),
    ...(query.below === undefined ? [] : [query.below.property]),
  ];
  for (const property of properties) {
    if (!/^[A-Za-z][A-Za-z0-9]*$/.test(property) || queryWords.has(property.toLowerCase())) {
      throw new PlimsollError(
        'INVALID_INPUT',
        `a property to query by must be a plain name, found ${JSON.stringify(property.slice(0, 40))}`,
      );
    }
  }
}

/** The document as JSON text. Throws TOO_LARGE past maxDocumentBytes. */
export function encodeDocument(key: DocumentKey, value: DocumentBody): string {
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxDocumentBytes) {
    throw new PlimsollError(
      'TOO_LARGE',
      `a document holds at most ${maxDocumentBytes} bytes, ${key.container}/${key.id} has ${bytes}: keep the rest in a blob`,
    );
  }
  return text;
}

/** The message as JSON text. Throws TOO_LARGE past maxMessageBytes. */
export function encodeMessage(queue: string, message: object): string {
  // XML, which carries it to a Storage queue, has no place for these characters; JSON can spell them in ASCII.
  const text = JSON.stringify(message).replace(/[\u007f-\u009f\ufffe\uffff]/g, toEscape);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxMessageBytes) {
    throw new PlimsollError(
      'TOO_LARGE',
      `a message holds at most ${maxMessageBytes} bytes, one for ${queue} has ${bytes}: send ids and keep the rest in a blob`,
    );
  }
  return text;
}

/** Throws INVALID_INPUT for a blob name that is not made of a-z 0-9 . - _ / alone. */
export function checkBlobName(container: string, name: string): void {
  // Empty and dot segments are rewritten by HTTP stacks, so one name could reach another blob.
  const isPlain = /^[a-z0-9._-]+(?:\/[a-z0-9._-]+)*$/u.test(name);
  const hasDotSegment = name.split('/').some((segment) => segment === '.' || segment === '..');
  if (!isPlain || hasDotSegment || name.endsWith('.') || name.length > maxBlobNameLength) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `a blob name in ${container} must be made of a-z 0-9 . - _ and / in between, found ${JSON.stringify(name.slice(0, 80))}`,
    );
  }
}

/** Throws INVALID_INPUT for a name that Key Vault cannot have: it would become a part of a URL. */
export function checkSecretName(name: string): void {
  if (!/^[0-9A-Za-z-]{1,127}$/.test(name)) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `a secret's name must have 1 to 127 of 0-9 a-z A-Z -, found ${JSON.stringify(name.slice(0, 40))}`,
    );
  }
}

/** Throws INVALID_INPUT for a page size that is no whole number from 1 to 1,000. */
export function checkPageLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new PlimsollError('INVALID_INPUT', `limit must be a whole number from 1 to 1000, found ${limit}`);
  }
}

/** A cursor that names the last item of a page. */
export function encodeCursor(last: string): string {
  return Buffer.from(last).toString('base64url');
}

/** What encodeCursor took. Throws INVALID_INPUT: cursors come back through messages and API callers. */
export function decodeCursor(cursor: string): string {
  const last = Buffer.from(cursor, 'base64url').toString();
  if (last === '' || encodeCursor(last) !== cursor) {
    throw new PlimsollError(
      'INVALID_INPUT',
      'cursor must be one that a page handed out, found something else',
    );
  }
  return last;
}

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
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
