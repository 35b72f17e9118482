/** What every document store must do. */
import { describe, expect, it } from 'vitest';
import { PlimsollError } from '../../shared/domain/errors.ts';
import {
  type ContainerName,
  containers,
  type DocumentKey,
  maxDocumentBytes,
} from '../../shared/ports/documents.ts';
import { describeListing } from './documents-list.contract.ts';
import { allNotes, type DocumentsUnderTest, type Note, newKey, note } from './notes.ts';

/** Runs the suite against one kind of store; `start` is called once, before the first test. */
export function describeDocuments(name: string, start: () => Promise<DocumentsUnderTest>): void {
  describe(name, () => {
    let started: Promise<DocumentsUnderTest> | undefined;
    const underTest = (): Promise<DocumentsUnderTest> => {
      started ??= start();
      return started;
    };

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

    it('shows a session what stands there by refusing to replace it, also a version that never was', async () => {
      const { session } = await underTest();
      const key = newKey();
      const [documents, other] = [session(), session()];
      const noVersion = '"00000000-0000-0000-0000-000000000000"';
      expect(await other.replace(key, note(), noVersion)).toBeUndefined();
      expect(await other.read(key)).toBeUndefined();
      await documents.create(key, note({ n: 1 }));
      expect(await other.replace(key, note(), noVersion)).toBeUndefined();
      expect((await other.read<Note>(key))?.value['n']).toBe(1);
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
      expect((await writer.list<Note>(allNotes(key))).items.map((item) => item.value['n'])).toEqual([2]);
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
        expect((await documents.list(allNotes(key))).items).toEqual([]);
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

    describeListing(underTest);

    it('throws only errors of its own kind for refused input', async () => {
      const documents = (await underTest()).session();
      const refused = documents.read({ ...newKey(), partition: '' });
      await expect(refused).rejects.toBeInstanceOf(PlimsollError);
    });
  });
}
