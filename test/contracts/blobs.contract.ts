/** What every blob store must do. */
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Blobs, blobContainers } from '../../shared/ports/blobs.ts';

/** Runs the suite against one kind of store; `start` is called once, before the first test. */
export function describeBlobs(name: string, start: () => Promise<Blobs>): void {
  describe(name, () => {
    let started: Promise<Blobs> | undefined;
    const underTest = (): Promise<Blobs> => {
      started ??= start();
      return started;
    };
    const newFolder = (): string => `f-${randomUUID()}`;

    it.for([...blobContainers])('gives back from %s the bytes that were written', async (container) => {
      const blobs = await underTest();
      const name = `${newFolder()}/a.json.gz`;
      const bytes = randomBytes(1000);
      expect(await blobs.exists(container, name)).toBe(false);
      expect(await blobs.read(container, name, 10)).toBeUndefined();
      expect(await blobs.createOnce(container, name, bytes)).toBe(true);
      expect(await blobs.exists(container, name)).toBe(true);
      expect(Buffer.from((await blobs.read(container, name, 1000)) ?? []).equals(bytes)).toBe(true);
    });

    it('writes a name once, and keeps what the first wrote', async () => {
      const blobs = await underTest();
      const name = `${newFolder()}/once`;
      const tries = Array.from({ length: 8 }, (_, n) => blobs.createOnce('reports', name, Uint8Array.of(n)));
      const won = (await Promise.all(tries)).flatMap((isFirst, n) => (isFirst ? [n] : []));
      expect(won).toHaveLength(1);
      expect(await blobs.createOnce('reports', name, Uint8Array.of(99))).toBe(false);
      expect([...((await blobs.read('reports', name, 10)) ?? [])]).toEqual(won);
    });

    it('keeps an empty blob', async () => {
      const blobs = await underTest();
      const name = `${newFolder()}/empty`;
      expect(await blobs.createOnce('reports', name, new Uint8Array())).toBe(true);
      expect(await blobs.read('reports', name, 0)).toEqual(new Uint8Array());
    });

    it('gives a blob of exactly the limit and refuses one byte more', async () => {
      const blobs = await underTest();
      const name = `${newFolder()}/large`;
      await blobs.createOnce('inventories', name, new Uint8Array(5_000_001).fill(7));
      expect((await blobs.read('inventories', name, 5_000_001))?.byteLength).toBe(5_000_001);
      await expect(blobs.read('inventories', name, 5_000_000)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    });

    it('hands out a copy and keeps one', async () => {
      const blobs = await underTest();
      const name = `${newFolder()}/copy`;
      const bytes = Uint8Array.of(1, 2, 3);
      await blobs.createOnce('changes', name, bytes);
      bytes[0] = 9;
      const read = await blobs.read('changes', name, 10);
      read?.fill(8);
      expect([...((await blobs.read('changes', name, 10)) ?? [])]).toEqual([1, 2, 3]);
    });

    it('removes once, after which the name is free', async () => {
      const blobs = await underTest();
      const name = `${newFolder()}/gone`;
      await blobs.createOnce('images', name, Uint8Array.of(1));
      expect(await blobs.remove('images', name)).toBe(true);
      expect(await blobs.remove('images', name)).toBe(false);
      expect(await blobs.exists('images', name)).toBe(false);
      expect(await blobs.createOnce('images', name, Uint8Array.of(2))).toBe(true);
    });

    it.for([1, 2, 3, 5, 6, 100])(
      'lists the names of a prefix sorted, each once, in pages of %i',
      async (limit) => {
        const blobs = await underTest();
        const folder = newFolder();
        const names = ['a', 'a-b', 'a.b', 'a/b', 'b', 'b/c/d'].map((name) => `${folder}/${name}`);
        for (const name of names.toReversed()) await blobs.createOnce('advisories', name, Uint8Array.of(1));
        await blobs.createOnce('advisories', `${folder}x`, Uint8Array.of(1));
        const listed: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await blobs.list(
            'advisories',
            `${folder}/`,
            cursor === undefined ? { limit } : { limit, cursor },
          );
          expect(page.items.length).toBeLessThanOrEqual(limit);
          listed.push(...page.items);
          cursor = page.cursor;
        } while (cursor !== undefined);
        expect(listed).toEqual(names);
      },
    );

    it('lists nothing where nothing starts with the prefix', async () => {
      const blobs = await underTest();
      expect(await blobs.list('images', newFolder(), { limit: 5 })).toEqual({ items: [] });
    });

    it.for([
      '',
      '/a',
      'a/',
      'a//b',
      'A',
      'a b',
      'a?b',
      'a#b',
      'a%2fb',
      '../a',
      'a/../b',
      './a',
      'ü',
      'a.',
      'a\\b',
    ])('refuses the name %j', async (name) => {
      const blobs = await underTest();
      const refused = { code: 'INVALID_INPUT' };
      await expect(blobs.createOnce('images', name, Uint8Array.of(1))).rejects.toMatchObject(refused);
      await expect(blobs.read('images', name, 1)).rejects.toMatchObject(refused);
      await expect(blobs.exists('images', name)).rejects.toMatchObject(refused);
      await expect(blobs.remove('images', name)).rejects.toMatchObject(refused);
    });

    it('refuses a wild page size', async () => {
      const blobs = await underTest();
      for (const limit of [0, -1, 1.5, 1001]) {
        await expect(blobs.list('images', '', { limit })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      }
    });
  });
}
