/** What every document store must do. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { PlimsollError } from '../../shared/domain/errors.ts';
import {
  type ContainerName,
  containers,
  type DocumentKey,
  type DocumentQuery,
  type Documents,
  maxDocumentBytes,
} from '../../shared/ports/documents.ts';

export interface DocumentsUnderTest {
  /** A new session over the same data. */
  session(): Documents;
  /** Moves the clock that decides about expiry. */
  advance(durationMs: number): void;
  /** Returns once a write of one session is seen by the others. */
  settle(): Promise<void>;
}

interface Note {
  readonly type: 'note' | 'other';
  readonly [property: string]: unknown;
}

/** Runs the suite against one kind of store; `start` is called once, before the first test. */
export function describeDocuments(name: string, start: () => Promise<DocumentsUnderTest>): void {
  describe(name, () => {
    let started: Promise<DocumentsUnderTest> | undefined;
    const underTest = (): Promise<DocumentsUnderTest> => {
      started ??= start();
      return started;
    };
    const newKey = (container: ContainerName = 'images'): DocumentKey => ({
      container,
      partition: `p-${randomUUID()}`,
      id: 'one',
    });
    const note = (properties: object = {}): Note => ({ type: 'note', ...properties });

    it('gives undefined for a document that was never written', async () => {
      const documents = (await underTest()).session();
      expect(await documents.read(newKey())).toBeUndefined();
    });

    it.for(Object.keys(containers) as ContainerName[])(
      'gives back from %s what was created',
      async (container) => {
        const documents = (await underTest()).session();
        const key = newKey(container);
        // Names that a store could take for its own.
        const value = note({
          id: 'mine',
          ttl: 1,
          shard: 's',
          kind: 'k',
          repository: 'r',
          subscriptionId: 'x',
          body: { _etag: 'y', deep: [1, null, 'ünï 😀', { a: true }] },
        });
        const etag = await documents.create(key, value);
        expect(await documents.read(key)).toEqual({ value, etag });
      },
    );

    it('drops undefined properties and hands out a copy each time', async () => {
      const documents = (await underTest()).session();
      const key = newKey();
      const value = { type: 'note', absent: undefined, list: [1] };
      await documents.create(key, value);
      value.list.push(2);
      const first = await documents.read<Note>(key);
      const second = await documents.read<Note>(key);
      expect(first?.value).toEqual({ type: 'note', list: [1] });
      expect(Object.hasOwn(first?.value ?? {}, 'absent')).toBe(false);
      expect(first?.value).not.toBe(second?.value);
    });

    it('creates a document only once, whichever session tries', async () => {
      const { session } = await underTest();
      const key = newKey();
      expect(await session().create(key, note({ by: 1 }))).toEqual(expect.any(String));
      const late = session();
      expect(await late.create(key, note({ by: 2 }))).toBeUndefined();
      expect((await late.read<Note>(key))?.value['by']).toBe(1);
    });

    it('lets one of many creates win', async () => {
      const { session } = await underTest();
      const key = newKey();
      const tries = Array.from({ length: 8 }, (_, by) => session().create(key, note({ by })));
      expect((await Promise.all(tries)).filter((etag) => etag !== undefined)).toHaveLength(1);
    });

    it('keeps the same id in two partitions and two containers apart', async () => {
      const documents = (await underTest()).session();
      const keys = [newKey('images'), newKey('images'), newKey('layers')];
      for (const [index, key] of keys.entries()) {
        expect(await documents.create(key, note({ index }))).toBeDefined();
      }
      for (const [index, key] of keys.entries()) {
        expect((await documents.read<Note>(key))?.value['index']).toBe(index);
      }
      expect(await documents.remove(keys[0] as DocumentKey)).toBe(true);
      expect(await documents.read(keys[1] as DocumentKey)).toBeDefined();
    });

    it('replaces with the current etag and gives a new one', async () => {
      const documents = (await underTest()).session();
      const key = newKey();
      const first = await documents.create(key, note({ n: 1, old: true }));
      const second = await documents.replace(key, note({ n: 2 }), first ?? '');
      expect(second).toEqual(expect.any(String));
      expect(second).not.toBe(first);
      expect(await documents.read(key)).toEqual({ value: { type: 'note', n: 2 }, etag: second });
    });

    it('replaces nothing with another etag', async () => {
      const { session } = await underTest();
      const key = newKey();
      const documents = session();
      const first = (await documents.create(key, note({ n: 1 }))) ?? '';
      const second = await documents.replace(key, note({ n: 2 }), first);
      const other = session();
      expect(await other.replace(key, note({ n: 3 }), first)).toBeUndefined();
      expect((await other.read<Note>(key))?.value['n']).toBe(2);
      expect((await documents.read(key))?.etag).toBe(second);
    });

    it('never makes a document by replacing', async () => {
      const documents = (await underTest()).session();
      const key = newKey();
      const etag = (await documents.create(key, note())) ?? '';
      expect(await documents.remove(key)).toBe(true);
      expect(await documents.replace(key, note(), etag)).toBeUndefined();
      expect(await documents.read(key)).toBeUndefined();
    });

    it('lets one of many replaces with one etag win', async () => {
      const { session } = await underTest();
      const key = newKey();
      const etag = (await session().create(key, note())) ?? '';
      const tries = Array.from({ length: 8 }, (_, by) => session().replace(key, note({ by }), etag));
      const won = (await Promise.all(tries)).flatMap((one, by) => (one === undefined ? [] : [by]));
      expect(won).toHaveLength(1);
      await (await underTest()).settle();
      expect((await session().read<Note>(key))?.value['by']).toBe(won[0]);
    });

    it('removes with the current etag or none, and only once', async () => {
      const documents = (await underTest()).session();
      const key = newKey();
      const first = (await documents.create(key, note())) ?? '';
      const second = (await documents.replace(key, note(), first)) ?? '';
      expect(await documents.remove(key, first)).toBe(false);
      expect(await documents.remove(key, second)).toBe(true);
      expect(await documents.remove(key, second)).toBe(false);
      expect(await documents.remove(key)).toBe(false);
      expect(await documents.read(key)).toBeUndefined();
    });

    it('can create again what was removed', async () => {
      const documents = (await underTest()).session();
      const key = newKey();
      const first = await documents.create(key, note({ n: 1 }));
      await documents.remove(key);
      const second = await documents.create(key, note({ n: 2 }));
      expect(second).toBeDefined();
      expect(await documents.replace(key, note({ n: 3 }), first ?? '')).toBeUndefined();
      expect((await documents.read<Note>(key))?.value['n']).toBe(2);
    });

    it('shows a session its own writes at once and those of others in the end', async () => {
      const { session, settle } = await underTest();
      const [writer, reader] = [session(), session()];
      const key = newKey();
      const etag = (await writer.create(key, note({ n: 1 }))) ?? '';
      expect((await writer.read<Note>(key))?.value['n']).toBe(1);
      await writer.replace(key, note({ n: 2 }), etag);
      expect((await writer.read<Note>(key))?.value['n']).toBe(2);
      expect((await writer.list<Note>(all(key))).items.map((item) => item.value['n'])).toEqual([2]);
      await settle();
      expect((await reader.read<Note>(key))?.value['n']).toBe(2);
    });

    describe('with a time to live', () => {
      it('is absent from the moment of its end, in reads and lists, and can be created again', async () => {
        const { session, advance, settle } = await underTest();
        const documents = session();
        const key = newKey();
        await documents.create(key, note({ n: 1 }), { ttlSeconds: 60 });
        advance(59_000);
        expect(await documents.read(key)).toBeDefined();
        advance(1_000);
        expect(await documents.read(key)).toBeUndefined();
        expect((await documents.list(all(key))).items).toEqual([]);
        expect(await documents.create(key, note({ n: 2 }))).toBeDefined();
        await settle();
        expect((await documents.read<Note>(key))?.value['n']).toBe(2);
      });

      it('refuses a conditional write to what expired', async () => {
        const { session, advance } = await underTest();
        const documents = session();
        const key = newKey();
        const etag = (await documents.create(key, note(), { ttlSeconds: 5 })) ?? '';
        const read = await documents.read(key);
        expect(read?.etag).toBe(etag);
        advance(5_000);
        expect(await documents.replace(key, note(), etag)).toBeUndefined();
        expect(await documents.remove(key, etag)).toBe(false);
      });

      it('is kept by a replace only where it gives one', async () => {
        const { session, advance } = await underTest();
        const documents = session();
        const [kept, freed] = [newKey(), newKey()];
        const keptEtag = (await documents.create(kept, note())) ?? '';
        const freedEtag = (await documents.create(freed, note(), { ttlSeconds: 5 })) ?? '';
        await documents.replace(kept, note(), keptEtag, { ttlSeconds: 5 });
        await documents.replace(freed, note(), freedEtag);
        advance(5_000);
        expect(await documents.read(kept)).toBeUndefined();
        expect(await documents.read(freed)).toBeDefined();
      });
    });

    describe('limits', () => {
      it('takes a document of exactly the limit and refuses one byte more', async () => {
        const documents = (await underTest()).session();
        const key = newKey();
        const overhead = Buffer.byteLength(JSON.stringify(note({ text: '' })));
        const fits = note({ text: 'x'.repeat(maxDocumentBytes - overhead) });
        const etag = await documents.create(key, fits);
        expect((await documents.read<Note>(key))?.value).toEqual(fits);
        const tooLarge = note({ text: 'x'.repeat(maxDocumentBytes - overhead + 1) });
        await expect(documents.create(newKey(), tooLarge)).rejects.toMatchObject({ code: 'TOO_LARGE' });
        await expect(documents.replace(key, tooLarge, etag ?? '')).rejects.toMatchObject({
          code: 'TOO_LARGE',
        });
      });

      it('counts bytes, not characters', async () => {
        const documents = (await underTest()).session();
        const text = 'ü'.repeat(maxDocumentBytes / 2);
        await expect(documents.create(newKey(), note({ text }))).rejects.toMatchObject({ code: 'TOO_LARGE' });
      });

      it.for(['', 'a/b', 'a\\b', 'a?b', 'a#b', 'a ', 'x'.repeat(1024)])('refuses the id %j', async (id) => {
        const documents = (await underTest()).session();
        const key = { ...newKey(), id };
        const refused = { code: 'INVALID_INPUT' };
        await expect(documents.read(key)).rejects.toMatchObject(refused);
        await expect(documents.create(key, note())).rejects.toMatchObject(refused);
        await expect(documents.remove(key)).rejects.toMatchObject(refused);
      });

      it.for(['sha256:abc@x', 'tag.v1.0+b', "it's", 'a b', '100%', 'ü', 'x'.repeat(1023)])(
        'takes the id %j',
        async (id) => {
          const documents = (await underTest()).session();
          const key = {
            ...newKey('places'),
            partition: 'registry:5000/team/app',
            id: `${id}`.slice(0, 1023),
          };
          await documents.remove(key);
          const etag = await documents.create(key, note({ id }));
          expect(await documents.read(key)).toEqual({ value: note({ id }), etag });
          expect(await documents.remove(key, etag)).toBe(true);
        },
      );
    });

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
        const page = await documents.list<Note>(all(key));
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
        expect(await documents.list(all(newKey()))).toEqual({ items: [] });
      });

      it.for([1, 2, 3, 4, 7, 8, 100])('gives each of seven documents once in pages of %i', async (limit) => {
        const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
        const { documents, key } = await fill(Object.fromEntries(ids.map((id) => [id, note()])));
        expect(await idsOf(documents, { ...all(key), limit })).toEqual(ids);
      });

      it('goes on after a page although documents before the cursor came and went', async () => {
        const { documents, key } = await fill({ b: note(), d: note(), f: note(), h: note() });
        const page = await documents.list({ ...all(key), limit: 2 });
        expect(page.items.map((item) => item.id)).toEqual(['b', 'd']);
        await documents.remove({ ...key, id: 'd' });
        await documents.create({ ...key, id: 'a' }, note());
        await documents.create({ ...key, id: 'g' }, note());
        const rest = await idsOf(documents, { ...all(key), limit: 2, cursor: page.cursor ?? '' });
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
        expect(await idsOf(documents, { ...all(key), idPrefix: 'tag.', limit: 1 })).toEqual([
          'tag.a',
          'tag.b',
        ]);
        expect(await idsOf(documents, { ...all(key), idPrefix: 'ta_' })).toEqual(['ta_']);
        expect(await idsOf(documents, { ...all(key), idPrefix: 'ta%' })).toEqual(['ta%']);
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
        expect(await idsOf(documents, { ...all(key), ...(equals === undefined ? {} : { equals }) })).toEqual(
          expected,
        );
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
        expect(await idsOf(documents, { ...all(key), below })).toEqual(['early']);
      });

      it('refuses a property that could change the query, a foreign cursor and a wild limit', async () => {
        const { documents, key } = await fill({ a: note() });
        const refused = { code: 'INVALID_INPUT' };
        for (const property of ['a b', 'x"]=1 OR c["y', 'a.b', '__proto__', '', 'select']) {
          const equals = Object.fromEntries([[property, 1]]);
          await expect(documents.list({ ...all(key), equals })).rejects.toMatchObject(refused);
          const below = { property, value: 'z' };
          await expect(documents.list({ ...all(key), below })).rejects.toMatchObject(refused);
        }
        await expect(documents.list({ ...all(key), cursor: '{"token":1}' })).rejects.toMatchObject(refused);
        for (const limit of [0, -1, 1.5, 1001, Number.NaN]) {
          await expect(documents.list({ ...all(key), limit })).rejects.toMatchObject(refused);
        }
      });
    });

    it('throws only errors of its own kind for refused input', async () => {
      const documents = (await underTest()).session();
      const refused = documents.read({ ...newKey(), partition: '' });
      await expect(refused).rejects.toBeInstanceOf(PlimsollError);
    });
  });
}

function all(key: DocumentKey): DocumentQuery {
  return { container: key.container, partition: key.partition, type: 'note', limit: 50 };
}
