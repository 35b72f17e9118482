/** JSON as gzip blobs: inventories, image records, reports, changes. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { PlimsollError } from '../domain/errors.ts';
import type { BlobContainerName, Blobs } from '../ports/blobs.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Largest blob and largest JSON text that is read back, in bytes: both are written by ourselves under limits. */
const maxBlobBytes = 64 * 1024 * 1024;
const maxJsonBytes = 512 * 1024 * 1024;

/** False where the blob exists. */
export async function createJson(
  blobs: Blobs,
  container: BlobContainerName,
  name: string,
  value: unknown,
): Promise<boolean> {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return blobs.createOnce(container, name, await compress(Buffer.from(text), { level: 6 }));
}

/** The value, or undefined where there is no such blob. Written by createJson: the shape is trusted. */
export async function readJson<T>(
  blobs: Blobs,
  container: BlobContainerName,
  name: string,
): Promise<T | undefined> {
  const text = await readText(blobs, container, name);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** The uncompressed text, or undefined where there is no such blob. */
export async function readText(
  blobs: Blobs,
  container: BlobContainerName,
  name: string,
): Promise<string | undefined> {
  const bytes = await blobs.read(container, name, maxBlobBytes);
  if (bytes === undefined) return undefined;
  return (await decompress(bytes, { maxOutputLength: maxJsonBytes })).toString('utf8');
}

/** As readJson, where the blob was written before whatever names it. Throws NOT_FOUND. */
export async function requireJson<T>(blobs: Blobs, container: BlobContainerName, name: string): Promise<T> {
  const value = await readJson<T>(blobs, container, name);
  if (value === undefined) {
    throw new PlimsollError(
      'NOT_FOUND',
      `blob ${container}/${name} is gone; scan the image again to make it anew`,
    );
  }
  return value;
}
