/** The document emulator's memory as one file: read at start, written when something changed. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type accountModule from '@vercel/cosmosdb-server/lib/account/index.js';
import { z } from 'zod';
import { replaceFile } from './replace-file.ts';

type Account = InstanceType<typeof accountModule.default>;

export interface SnapshotFile {
  /** Fills the empty account from the file; nothing where there is none. Throws where the file is not a snapshot. */
  load(now: Date): Promise<void>;
  markChanged(): void;
  /** Writes the file if something changed since; one write at a time. Expired documents are left out. */
  save(now: Date): Promise<void>;
}

/** Etags are made anew at a restart, so a write that was prepared before it fails its condition, as it should. */
export function createSnapshotFile(path: string, account: Account): SnapshotFile {
  let isChanged = false;
  let writing: Promise<void> = Promise.resolve();

  async function write(now: Date): Promise<void> {
    if (!isChanged) return;
    isChanged = false;
    try {
      await mkdir(dirname(path), { recursive: true });
      await replaceFile(path, JSON.stringify(takeSnapshot(account, now)));
    } catch (error) {
      isChanged = true;
      throw error;
    }
  }

  return {
    async load(now) {
      const text = await readText(path);
      if (text === undefined) return;
      for (const database of snapshotSchema.parse(JSON.parse(text)).databases) {
        account.databases.create({ id: database.id });
        for (const collection of database.collections) {
          account.database(database.id).collections.create(collection.definition);
          const { documents } = account.database(database.id).collection(collection.definition.id);
          for (const document of collection.documents) {
            if (!isExpired(document, now)) documents.create(document);
          }
        }
      }
    },
    markChanged() {
      isChanged = true;
    },
    save(now) {
      writing = writing.then(
        () => write(now),
        () => write(now),
      );
      return writing;
    },
  };
}

const snapshotSchema = z.object({
  databases: z.array(
    z.object({
      id: z.string(),
      collections: z.array(
        z.object({
          definition: z.looseObject({
            id: z.string(),
            partitionKey: z.object({ paths: z.array(z.string()) }),
          }),
          documents: z.array(z.looseObject({ id: z.string() })),
        }),
      ),
    }),
  ),
});

function takeSnapshot(account: Account, now: Date): z.infer<typeof snapshotSchema> {
  const databases = [...account.databases._data.values()].map((database) => ({
    id: idOf(database),
    collections: [...database.collections._data.values()].map((collection) => ({
      definition: { id: idOf(collection), partitionKey: { paths: collection.documents._partitionKeyPath } },
      documents: [...collection.documents._data.values()].flatMap((document) => {
        const kept = withoutSystemProperties(document.read() ?? {});
        return isExpired(kept, now) ? [] : [kept];
      }),
    })),
  }));
  return { databases };
}

function idOf(item: { read(): { readonly id: string } | null | undefined }): string {
  return item.read()?.id ?? '';
}

function withoutSystemProperties(document: object): { id: string } {
  const kept = Object.entries(document).filter(([name]) => !systemProperties.has(name));
  return Object.fromEntries(kept) as { id: string };
}

const systemProperties = new Set(['_rid', '_self', '_etag', '_ts', '_attachments']);

/** The adapter writes when a document expires; the engine knows no TTL. */
function isExpired(document: object, now: Date): boolean {
  const expiresAtMs = 'expiresAtMs' in document ? document.expiresAtMs : undefined;
  return typeof expiresAtMs === 'number' && expiresAtMs <= now.getTime();
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
