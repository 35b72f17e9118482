/** Blobs of the local registry: pull, upload in one piece or in chunks, mount, delete (distribution-spec, "Pushing blobs"). */
import { parseDigest } from '../domain/digest.ts';
import { isRepository } from '../domain/reference.ts';
import { type Exchange, sendContent, sendEmpty, sendError } from './oci-registry-exchange.ts';
import type { RegistryRoute } from './oci-registry-routes.ts';
import type { Upload } from './oci-registry-storage.ts';

type BlobRoute = Extract<RegistryRoute, { kind: 'blob' }>;
type UploadRoute = Extract<RegistryRoute, { kind: 'upload' }>;

/** Most uploads at a time; a client uses a handful. */
export const maxUploads = 1_000;

export async function handleBlob(exchange: Exchange, route: BlobRoute): Promise<void> {
  const { storage } = exchange.state;
  const { repository, digest } = route;
  const { method } = exchange.request;
  const blob = await storage.blob(repository, digest);
  if (blob === undefined) return sendError(exchange, 404, 'BLOB_UNKNOWN', 'this repository has no such blob');
  if (method === 'DELETE') {
    await storage.unlinkBlob(repository, digest);
    exchange.notify('delete', { digest, repository });
    return sendEmpty(exchange, 202, {});
  }
  if (method !== 'GET' && method !== 'HEAD') return refuseMethod(exchange);
  exchange.notify('pull', blobTarget(exchange, repository, digest, blob.size));
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  };
  await sendContent(exchange, blob, headers);
}

/** POST: opens an upload, mounts a blob of another repository, or takes a whole blob with `?digest=`. */
export async function handleUploads(exchange: Exchange, repository: string): Promise<void> {
  if (exchange.request.method !== 'POST') return refuseMethod(exchange);
  const { storage, uploads } = exchange.state;
  const mount = parseDigest(exchange.url.searchParams.get('mount') ?? '');
  const from = exchange.url.searchParams.get('from') ?? '';
  if (mount !== undefined && isRepository(from)) {
    const blob = await storage.blob(from, mount);
    if (blob !== undefined) {
      await storage.linkBlob(repository, mount);
      const target = blobTarget(exchange, repository, mount, blob.size);
      exchange.notify('mount', { ...target, fromRepository: from });
      return sendCreated(exchange, repository, mount);
    }
  }
  if (uploads.size >= maxUploads) {
    return sendError(exchange, 429, 'BLOB_UPLOAD_INVALID', `more than ${maxUploads} uploads are open`);
  }
  const upload = await storage.beginUpload(repository);
  uploads.set(upload.id, upload);
  if (exchange.url.searchParams.has('digest')) return finish(exchange, upload);
  sendEmpty(exchange, 202, progressHeaders(upload));
}

export async function handleUpload(exchange: Exchange, route: UploadRoute): Promise<void> {
  const { storage, uploads } = exchange.state;
  const upload = uploads.get(route.id);
  if (upload === undefined || upload.repository !== route.repository) {
    return sendError(exchange, 404, 'BLOB_UPLOAD_UNKNOWN', 'there is no such upload; begin again');
  }
  switch (exchange.request.method) {
    case 'GET':
      return sendEmpty(exchange, 204, progressHeaders(upload));
    case 'PATCH':
      if (!continues(exchange, upload)) return refuseChunk(exchange, upload);
      await append(exchange, upload);
      return sendEmpty(exchange, 202, progressHeaders(upload));
    case 'PUT':
      if (!continues(exchange, upload)) return refuseChunk(exchange, upload);
      return finish(exchange, upload);
    case 'DELETE':
      uploads.delete(upload.id);
      await storage.abortUpload(upload);
      return sendEmpty(exchange, 204, {});
    default:
      return refuseMethod(exchange);
  }
}

export function refuseMethod(exchange: Exchange): void {
  sendError(exchange, 405, 'UNSUPPORTED', `${exchange.request.method} is not possible here`);
}

async function finish(exchange: Exchange, upload: Upload): Promise<void> {
  const { storage, uploads } = exchange.state;
  const digest = parseDigest(exchange.url.searchParams.get('digest') ?? '');
  if (digest === undefined) return sendError(exchange, 400, 'DIGEST_INVALID', 'expected ?digest=sha256:…');
  await append(exchange, upload);
  uploads.delete(upload.id);
  if (!(await storage.finishUpload(upload, digest))) {
    return sendError(exchange, 400, 'DIGEST_INVALID', 'the bytes have another digest');
  }
  exchange.notify('push', blobTarget(exchange, upload.repository, digest, upload.size));
  sendCreated(exchange, upload.repository, digest);
}

/** A connection that breaks leaves what has come so far, from which the client may go on. */
async function append(exchange: Exchange, upload: Upload): Promise<void> {
  for await (const chunk of exchange.request as AsyncIterable<Uint8Array>) {
    await upload.file.appendFile(chunk);
    upload.hash.update(chunk);
    upload.size += chunk.byteLength;
  }
}

function continues(exchange: Exchange, upload: Upload): boolean {
  const range = /^(?:bytes )?(\d{1,15})-\d{1,15}/.exec(exchange.request.headers['content-range'] ?? '');
  return range === null || Number(range[1]) === upload.size;
}

function refuseChunk(exchange: Exchange, upload: Upload): void {
  exchange.request.resume();
  sendEmpty(exchange, 416, progressHeaders(upload));
}

function progressHeaders(upload: Upload): Record<string, string> {
  return {
    location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
    range: `0-${Math.max(0, upload.size - 1)}`,
    'docker-upload-uuid': upload.id,
  };
}

function sendCreated(exchange: Exchange, repository: string, digest: string): void {
  const location = `/v2/${repository}/blobs/${digest}`;
  sendEmpty(exchange, 201, { location, 'docker-content-digest': digest });
}

function blobTarget(exchange: Exchange, repository: string, digest: string, size: number) {
  const url = `${exchange.url.origin}/v2/${repository}/blobs/${digest}`;
  return { mediaType: 'application/octet-stream', size, digest, length: size, repository, url };
}
