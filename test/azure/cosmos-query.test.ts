/** Queries stay inside one partition, and values never become a part of their text. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentQuerySpec } from '../../shared/azure/cosmos-query.ts';
import { type ContainerName, containers } from '../../shared/ports/documents.ts';
import { encodeCursor } from '../../shared/ports/limits.ts';

const shared = fileURLToPath(new URL('../../shared', import.meta.url));
const containerNames = Object.keys(containers) as ContainerName[];

describe('the query of documents', () => {
  it.for(containerNames)('names the partition key of %s in its condition', (container) => {
    const { query, parameters } = documentQuerySpec({ container, partition: 'p', type: 't', limit: 1 });
    expect(query).toContain(`WHERE c.${containers[container].partitionKey} = @partition AND`);
    expect(parameters).toContainEqual({ name: '@partition', value: 'p' });
  });

  it('is the only one in the code', async () => {
    const files = (await readdir(shared, { recursive: true })).filter((name) => name.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(20);
    const withQuery: string[] = [];
    for (const file of files) {
      const text = await readFile(`${shared}/${file}`, 'utf8');
      if (/\bSELECT\b[^'"`]*\bFROM\b/.test(text) || /\.query\s*[<(]/.test(text)) withQuery.push(file);
    }
    expect(withQuery.filter((file) => !usesSqlite.test(file)).sort()).toEqual([
      'azure/cosmos-documents.ts',
      'azure/cosmos-query.ts',
    ]);
  });

  it('has the same text for whatever values', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const textOf = (partition: string, id: string, equal: string | number | boolean | null): string =>
      documentQuerySpec({
        container: 'images',
        partition,
        type: partition,
        idPrefix: id,
        cursor: encodeCursor(`x${id}`),
        equals: { status: equal },
        below: { property: 'since', value: id },
        limit: 5,
      }).query;
    const expected = textOf('p', 'i', 1);
    fc.assert(fc.property(fc.string(), fc.string(), value, (a, b, c) => textOf(a, b, c) === expected));
  });
});

/** Package databases of images are SQLite; their readers may hold queries of their own. */
const usesSqlite = /catalogers\//;
