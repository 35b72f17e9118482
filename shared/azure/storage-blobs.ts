/** Blobs on Azure Storage. */
import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient, type BlockBlobClient } from '@azure/storage-blob';
import { PlimsollError } from '../domain/errors.ts';
import { type BlobContainerName, type Blobs, blobContainers } from '../ports/blobs.ts';
import { checkBlobName, checkPageLimit, decodeCursor, encodeCursor } from '../ports/limits.ts';
import { serviceCodeOf, statusOf, unavailable, withoutRequest } from './sdk-errors.ts';

export interface BlobOptions {
  /** `https://<account>.blob.core.windows.net` or `https://127.0.0.1:<port>/<account>`. */
  readonly serviceUri: string;
  readonly credential: TokenCredential;
  /** Longest wait for an answer, all tries together, and for the next byte of a transfer. */
  readonly timeoutMs?: number;
}

const retryOptions = { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2_000 };
/** Least speed of an upload that is believed to arrive, in bytes a millisecond (100 kB/s). */
const leastBytesPerMs = 100;
/** How often a download that breaks off is taken up again. */
const maxResumes = 3;

/** Strongly consistent: what createOnce wrote, everybody sees. */
export function createStorageBlobs(options: BlobOptions): Blobs {
  const { timeoutMs = 10_000 } = options;
  // The SDK's own limit of a try is only told to the service, which may not hear it.
  const timeLimit = (uploadBytes = 0) =>
    AbortSignal.timeout(timeoutMs + Math.ceil(uploadBytes / leastBytesPerMs));
  const service = new BlobServiceClient(options.serviceUri, options.credential, { retryOptions });

  function clientOf(container: BlobContainerName, name: string): BlockBlobClient {
    checkBlobName(container, name);
    return service.getContainerClient(container).getBlockBlobClient(name);
  }

  return {
    async createOnce(container, name, bytes) {
      const client = clientOf(container, name);
      try {
        await client.upload(bytes, bytes.byteLength, {
          conditions: { ifNoneMatch: '*' },
          abortSignal: timeLimit(bytes.byteLength),
        });
        return true;
      } catch (error) {
        // 409 where it stands, 412 where another write of it is being finished: either way somebody did it.
        if (serviceCodeOf(error) === 'BlobAlreadyExists' || statusOf(error) === 412) return false;
        throw unavailable('STORE_UNAVAILABLE', `writing blob ${container}/${name}`, error);
      }
    },
    async read(container, name, maxBytes) {
      const client = clientOf(container, name);
      const stalled = new AbortController();
      const timer = setTimeout(() => stalled.abort(), timeoutMs);
      try {
        const options = { maxRetryRequests: maxResumes, abortSignal: stalled.signal };
        const answer = await client.download(0, undefined, options);
        return await readBounded(answer, maxBytes, `${container}/${name}`, () => timer.refresh());
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw unavailable('STORE_UNAVAILABLE', `reading blob ${container}/${name}`, error);
      } finally {
        clearTimeout(timer);
      }
    },
    async exists(container, name) {
      const client = clientOf(container, name);
      try {
        await client.getProperties({ abortSignal: timeLimit() });
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw unavailable('STORE_UNAVAILABLE', `looking for blob ${container}/${name}`, error);
      }
    },
    async list(container, prefix, { limit, cursor }) {
      checkPageLimit(limit);
      const continuation = cursor === undefined ? {} : { continuationToken: decodeCursor(cursor) };
      const pages = service
        .getContainerClient(container)
        .listBlobsFlat({ prefix, abortSignal: timeLimit() })
        .byPage({ maxPageSize: limit, ...continuation });
      try {
        const page = await pages.next();
        const items = page.done === true ? [] : page.value.segment.blobItems.map((item) => item.name);
        const next: unknown = page.value?.continuationToken;
        return typeof next === 'string' && next !== '' ? { items, cursor: encodeCursor(next) } : { items };
      } catch (error) {
        if (statusOf(error) === 400 && cursor !== undefined) {
          throw new PlimsollError('INVALID_INPUT', 'cursor must be one that a page handed out', {
            cause: withoutRequest(error),
          });
        }
        throw unavailable('STORE_UNAVAILABLE', `listing blobs of ${container}`, error);
      }
    },
    async remove(container, name) {
      const client = clientOf(container, name);
      try {
        await client.delete({ abortSignal: timeLimit() });
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw unavailable('STORE_UNAVAILABLE', `removing blob ${container}/${name}`, error);
      }
    },
  };
}

/** Makes every container where it is missing. On Azure the deployment does. */
export async function ensureBlobContainers(options: BlobOptions): Promise<void> {
  const service = new BlobServiceClient(options.serviceUri, options.credential, { retryOptions });
  try {
    await Promise.all(blobContainers.map((name) => service.getContainerClient(name).createIfNotExists()));
  } catch (error) {
    throw unavailable('STORE_UNAVAILABLE', 'creating the blob containers', error);
  }
}

/** A missing container is a broken deployment, not an absent blob. */
function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && serviceCodeOf(error) !== 'ContainerNotFound';
}

async function readBounded(
  answer: { readonly contentLength?: number; readonly readableStreamBody?: NodeJS.ReadableStream },
  maxBytes: number,
  name: string,
  onBytes: () => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  // Leaving the loop by the throw destroys the stream, so that the rest is not transferred.
  for await (const chunk of answer.readableStreamBody ?? []) {
    onBytes();
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes || (answer.contentLength ?? 0) > maxBytes) {
      throw new PlimsollError(
        'TOO_LARGE',
        `expected at most ${maxBytes} bytes in blob ${name}, found ${answer.contentLength ?? 'more'}`,
      );
    }
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}
