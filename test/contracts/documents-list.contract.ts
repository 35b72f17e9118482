/** What every document store must do when it lists. */
import { describe, expect, it } from 'vitest';
import type { DocumentKey, DocumentQuery, Documents } from '../../shared/ports/documents.ts';
import { allNotes, type DocumentsUnderTest, type Note, newKey, note } from './notes.ts';

/** Runs the suite against one kind of store. */
export function describeListing(underTest: () => Promise<DocumentsUnderTest>): void {
  describe('listing', () => {
    async function fill(
      notes: Readonly<Record<string, Note>>,
    ): Promise<{ documents: Documents; key: DocumentKey }> {
      const { session } = await underTest();
      const documents = session();
      const key = newKey();
      for (const [id, value] of Object.entries(notes)) await documents.create({ ...key, id }, value);
      // The same ids in another partition must never show.
      const other = newKey();
      for (const id of Object.keys(notes))
        await documents.create({ ...other, id }, note({ elsewhere: true }));
      return { documents, key };
    }

    async function idsOf(documents: Documents, query: DocumentQuery): Promise<string[]> {
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await documents.list<Note>(cursor === undefined ? query : { ...query, cursor });
        expect(page.items.length).toBeLessThanOrEqual(query.limit);
        for (const item of page.items) expect(item.value['elsewhere']).toBeUndefined();
        ids.push(...page.items.map((item) => item.id));
        cursor = page.cursor;
      } while (cursor !== undefined);
      return ids;
    }

    it('gives documents of one type in order of id with their values and etags', async () => {
      const { documents, key } = await fill({
        'b.2': note({ n: 2 }),
        'a.10': note({ n: 10 }),
        'a.1': note({ n: 1 }),
        'c.3': { type: 'other' },
      });
      const page = await documents.list<Note>(allNotes(key));
      expect(page.items.map((item) => [item.id, item.value['n']])).toEqual([
        ['a.1', 1],
        ['a.10', 10],
        ['b.2', 2],
      ]);
      expect(page.cursor).toBeUndefined();
      const first = page.items[0];
      expect(first?.etag).toBe((await documents.read({ ...key, id: 'a.1' }))?.etag);
      expect(await documents.replace({ ...key, id: 'a.1' }, note(), first?.etag ?? '')).toBeDefined();
    });

    it('gives nothing from an empty partition', async () => {
      const { documents } = await fill({});
      expect(await documents.list(allNotes(newKey()))).toEqual({ items: [] });
    });

    it.for([1, 2, 3, 4, 7, 8, 100])('gives each of seven documents once in pages of %i', async (limit) => {
      const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
      const { documents, key } = await fill(Object.fromEntries(ids.map((id) => [id, note()])));
      expect(await idsOf(documents, { ...allNotes(key), limit })).toEqual(ids);
    });

    it('goes on after a page although documents before the cursor came and went', async () => {
      const { documents, key } = await fill({ b: note(), d: note(), f: note(), h: note() });
      const page = await documents.list({ ...allNotes(key), limit: 2 });
      expect(page.items.map((item) => item.id)).toEqual(['b', 'd']);
      await documents.remove({ ...key, id: 'd' });
      await documents.create({ ...key, id: 'a' }, note());
      await documents.create({ ...key, id: 'g' }, note());
      const rest = await idsOf(documents, { ...allNotes(key), limit: 2, cursor: page.cursor ?? '' });
      expect(rest).toEqual(['f', 'g', 'h']);
    });

    it('narrows by prefix of the id', async () => {
      const { documents, key } = await fill({
        'tag.a': note(),
        'tag.b': note(),
        'tah.a': note(),
        'ta%': note(),
        ta_: note(),
      });
      expect(await idsOf(documents, { ...allNotes(key), idPrefix: 'tag.', limit: 1 })).toEqual([
        'tag.a',
        'tag.b',
      ]);
      expect(await idsOf(documents, { ...allNotes(key), idPrefix: 'ta_' })).toEqual(['ta_']);
      expect(await idsOf(documents, { ...allNotes(key), idPrefix: 'ta%' })).toEqual(['ta%']);
    });

    it.for<[string, DocumentQuery['equals'], string[]]>([
      ['a string', { status: 'x' }, ['text']],
      ['a number', { status: 1 }, ['number']],
      ['false', { status: false }, ['false']],
      ['true', { status: true }, ['true']],
      ['a stored null, not an absence', { status: null }, ['null']],
      ['all of several', { status: 'x', more: 'y' }, ['text']],
      ['nothing', { status: 'x', more: 'z' }, []],
      ['text that looks like a query', { status: "' OR true --" }, ['quoted']],
    ])('narrows by properties that equal %s', async ([, equals, expected]) => {
      const { documents, key } = await fill({
        text: note({ status: 'x', more: 'y' }),
        number: note({ status: 1 }),
        numeral: note({ status: '1' }),
        false: note({ status: false }),
        true: note({ status: true }),
        null: note({ status: null }),
        absent: note(),
        quoted: note({ status: "' OR true --" }),
      });
      expect(
        await idsOf(documents, { ...allNotes(key), ...(equals === undefined ? {} : { equals }) }),
      ).toEqual(expected);
    });

    it('narrows by a string property below a value', async () => {
      const { documents, key } = await fill({
        early: note({ outboxSince: '2026-01-01T00:00:00.000Z' }),
        late: note({ outboxSince: '2026-01-02T00:00:00.000Z' }),
        at: note({ outboxSince: '2026-01-01T12:00:00.000Z' }),
        none: note({ outboxSince: null }),
        number: note({ outboxSince: 5 }),
        absent: note(),
      });
      const below = { property: 'outboxSince', value: '2026-01-01T12:00:00.000Z' };
      expect(await idsOf(documents, { ...allNotes(key), below })).toEqual(['early']);
    });

    it('refuses a property that could change the query, a foreign cursor and a wild limit', async () => {
      const { documents, key } = await fill({ a: note() });
      const refused = { code: 'INVALID_INPUT' };
      for (const property of ['a b', 'x"]=1 OR c["y', 'a.b', '__proto__', '', 'select']) {
        const equals = Object.fromEntries([[property, 1]]);
        await expect(documents.list({ ...allNotes(key), equals })).rejects.toMatchObject(refused);
        const below = { property, value: 'z' };
        await expect(documents.list({ ...allNotes(key), below })).rejects.toMatchObject(refused);
      }
      await expect(documents.list({ ...allNotes(key), cursor: '{"token":1}' })).rejects.toMatchObject(
        refused,
      );
      for (const limit of [0, -1, 1.5, 1001, Number.NaN]) {
        await expect(documents.list({ ...allNotes(key), limit })).rejects.toMatchObject(refused);
      }
    });
  });
}
