/** Manifests, tags and the catalog of the local registry (distribution-spec, "Pushing manifests", "Content discovery"). */
import { z } from 'zod';
import { type Digest, digestOf, parseDigest } from '../domain/digest.ts';
import { maxManifestBytes } from '../image/manifest.ts';
import { refuseMethod } from './oci-registry-blobs.ts';
import { type Exchange, sendContent, sendEmpty, sendError, sendJson } from './oci-registry-exchange.ts';
import type { RegistryRoute } from './oci-registry-routes.ts';
import type { StoredManifest } from './oci-registry-storage.ts';

type ManifestRoute = Extract<RegistryRoute, { kind: 'manifest' }>;

export async function handleManifest(exchange: Exchange, route: ManifestRoute): Promise<void> {
  const { method } = exchange.request;
  if (method === 'PUT') return putManifest(exchange, route);
  if (method === 'DELETE') return deleteManifest(exchange, route);
  if (method !== 'GET' && method !== 'HEAD') return refuseMethod(exchange);
  const { repository, reference } = route;
  const stored = await exchange.state.storage.manifest(repository, reference);
  if (stored === undefined)
    return sendError(exchange, 404, 'MANIFEST_UNKNOWN', `no manifest ${reference} here`);
  const tag = parseDigest(reference) === undefined ? reference : undefined;
  exchange.notify('pull', manifestTarget(exchange, repository, stored, tag));
  const headers = {
    'content-type': stored.mediaType,
    'docker-content-digest': stored.digest,
    etag: `"${stored.digest}"`,
    ...(exchange.fault?.kind === 'headers' ? exchange.fault.headers : {}),
  };
  const kept = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
  await sendContent(exchange, stored.bytes, kept);
}

export async function handleTags(exchange: Exchange, repository: string): Promise<void> {
  if (exchange.request.method !== 'GET') return refuseMethod(exchange);
  const tags = await exchange.state.storage.tags(repository);
  const isKnown = tags.length > 0 || (await exchange.state.storage.repositories()).includes(repository);
  if (!isKnown) return sendError(exchange, 404, 'NAME_UNKNOWN', `no repository ${repository} here`);
  const page = pageOf(exchange, tags);
  sendJson(exchange, 200, { name: repository, tags: page.items }, page.headers);
}

export async function handleCatalog(exchange: Exchange): Promise<void> {
  if (exchange.request.method !== 'GET') return refuseMethod(exchange);
  const page = pageOf(exchange, await exchange.state.storage.repositories());
  sendJson(exchange, 200, { repositories: page.items }, page.headers);
}

async function putManifest(exchange: Exchange, route: ManifestRoute): Promise<void> {
  const { storage } = exchange.state;
  const { repository, reference } = route;
  const bytes = await readManifest(exchange);
  if (bytes === undefined) {
    return sendError(exchange, 413, 'SIZE_INVALID', `a manifest has at most ${maxManifestBytes} bytes`);
  }
  const digest = parseDigest(reference);
  if (digest !== undefined && digest !== digestOf(bytes)) {
    return sendError(exchange, 400, 'DIGEST_INVALID', 'the manifest has another digest');
  }
  const parsed = parseReferences(bytes);
  if (parsed === undefined)
    return sendError(exchange, 400, 'MANIFEST_INVALID', 'expected a manifest as JSON');
  const blobs = [parsed.config, ...(parsed.layers ?? [])].filter((entry) => entry !== undefined);
  for (const entry of blobs) {
    const isThere = (await storage.blob(repository, entry.digest as Digest)) !== undefined;
    if (!isThere && !entry.urls)
      return sendError(exchange, 400, 'MANIFEST_BLOB_UNKNOWN', `push ${entry.digest} first`);
  }
  for (const entry of parsed.manifests ?? []) {
    const isThere = (await storage.manifest(repository, entry.digest)) !== undefined;
    if (!isThere) return sendError(exchange, 400, 'MANIFEST_BLOB_UNKNOWN', `push ${entry.digest} first`);
  }
  const mediaType =
    exchange.request.headers['content-type'] ?? parsed.mediaType ?? 'application/octet-stream';
  const tag = digest === undefined ? reference : undefined;
  const stored = { digest: await storage.putManifest(repository, bytes, mediaType, tag), mediaType, bytes };
  exchange.notify('push', manifestTarget(exchange, repository, stored, tag));
  sendEmpty(exchange, 201, {
    location: `/v2/${repository}/manifests/${stored.digest}`,
    'docker-content-digest': stored.digest,
  });
}

/** By digest the manifest goes with its tags, one event each; by tag only the tag goes, as Distribution does it. */
async function deleteManifest(exchange: Exchange, route: ManifestRoute): Promise<void> {
  const { storage } = exchange.state;
  const { repository, reference } = route;
  const digest = parseDigest(reference);
  if (digest === undefined) {
    if (!(await storage.deleteTag(repository, reference))) {
      return sendError(exchange, 404, 'MANIFEST_UNKNOWN', `no tag ${reference} here`);
    }
    exchange.notify('delete', { repository, tag: reference });
    return sendEmpty(exchange, 202, {});
  }
  const tags = await storage.deleteManifest(repository, digest);
  if (tags === undefined) return sendError(exchange, 404, 'MANIFEST_UNKNOWN', `no manifest ${digest} here`);
  exchange.notify('delete', { digest, repository });
  for (const tag of tags) exchange.notify('delete', { repository, tag });
  sendEmpty(exchange, 202, {});
}

const reference = z.object({
  digest: z.string().refine((text) => parseDigest(text) !== undefined),
  mediaType: z.string().optional(),
  size: z.number().optional(),
  urls: z.array(z.string()).optional(),
});
const references = z.object({
  mediaType: z.string().optional(),
  config: reference.optional(),
  layers: z.array(reference).max(10_000).optional(),
  manifests: z.array(reference).max(10_000).optional(),
});

function parseReferences(bytes: Buffer): z.infer<typeof references> | undefined {
  try {
    return references.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function readManifest(exchange: Exchange): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of exchange.request as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxManifestBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function manifestTarget(
  exchange: Exchange,
  repository: string,
  stored: StoredManifest,
  tag: string | undefined,
) {
  const parsed = parseReferences(stored.bytes);
  const entries = [parsed?.config, ...(parsed?.layers ?? []), ...(parsed?.manifests ?? [])];
  return {
    mediaType: stored.mediaType,
    size: stored.bytes.byteLength,
    digest: stored.digest,
    length: stored.bytes.byteLength,
    repository,
    url: `${exchange.url.origin}/v2/${repository}/manifests/${stored.digest}`,
    ...(tag === undefined ? {} : { tag }),
    references: entries
      .filter((entry) => entry !== undefined)
      .map(({ mediaType, size, digest }) => ({ mediaType, size, digest: digest as Digest })),
  };
}

/** `?n=&last=`, with a relative `Link` to the next page as Distribution sends it. */
function pageOf(
  exchange: Exchange,
  sorted: readonly string[],
): { items: readonly string[]; headers: Record<string, string> } {
  const { searchParams, pathname } = exchange.url;
  const last = searchParams.get('last');
  const wanted = Number(searchParams.get('n') ?? Number.NaN);
  const rest = last === null ? sorted : sorted.filter((name) => name > last);
  if (!Number.isInteger(wanted) || wanted <= 0 || rest.length <= wanted) return { items: rest, headers: {} };
  const items = rest.slice(0, wanted);
  const next = `${pathname}?last=${encodeURIComponent(items.at(-1) ?? '')}&n=${wanted}`;
  return { items, headers: { link: `<${next}>; rel="next"` } };
}
