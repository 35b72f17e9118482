/** The secrets of one machine: a file that this user alone can read. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { replaceFile } from './replace-file.ts';

const versionSchema = z.object({
  version: z.string(),
  value: z.string(),
  /** Times in Unix seconds. */
  attributes: z.object({
    enabled: z.boolean(),
    created: z.number(),
    updated: z.number(),
    exp: z.number().optional(),
  }),
});
const fileSchema = z.record(z.string(), z.array(versionSchema));

export type SecretVersion = z.infer<typeof versionSchema>;

export interface SecretFile {
  /** The newest version or the one named; undefined where there is none. */
  get(name: string, version?: string): SecretVersion | undefined;
  /** Adds a version and resolves once it is on disk. */
  set(
    name: string,
    value: string,
    attributes: { readonly enabled?: boolean | undefined; readonly exp?: number | undefined },
  ): Promise<SecretVersion>;
}

/** Opens the file; an absent one is empty. Names ignore case, as in Key Vault. */
export async function openSecretFile(path: string): Promise<SecretFile> {
  const secrets = new Map(Object.entries(await readSecrets(path)));
  let writing = Promise.resolve();
  return {
    get(name, version) {
      const versions = secrets.get(name.toLowerCase());
      return version === undefined ? versions?.at(-1) : versions?.find((one) => one.version === version);
    },
    async set(name, value, { enabled = true, exp }) {
      const nowSeconds = Math.floor(Date.now() / 1000);
      const expiry = exp === undefined ? {} : { exp };
      const attributes = { enabled, created: nowSeconds, updated: nowSeconds, ...expiry };
      const made = { version: randomBytes(16).toString('hex'), value, attributes };
      const key = name.toLowerCase();
      secrets.set(key, [...(secrets.get(key) ?? []).slice(1 - versionsKept), made]);
      writing = writing.then(async () => {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await replaceFile(path, JSON.stringify(Object.fromEntries(secrets)));
      });
      await writing;
      return made;
    },
  };
}

const versionsKept = 10;

async function readSecrets(path: string): Promise<z.infer<typeof fileSchema>> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}
