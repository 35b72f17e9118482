/** An image source over anything that gives manifests and blobs by digest: a layout, an archive of one, a registry. */
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { ImageLayer, ImageRecord } from '../domain/inventory.ts';
import type { Platform } from '../domain/platform.ts';
import { maxConfigBytes, parseImageConfig } from './config.ts';
import { type IndexChild, type ManifestBytes, maxIndexEntries, parseManifest } from './manifest.ts';
import { isIndexType } from './media-types.ts';
import type { ImageSource, SourceImage } from './source.ts';

/** Manifests and blobs are verified by whoever gives them; undefined where there is none. */
export interface ContentReader {
  manifest(digest: Digest, mediaType: string): Promise<ManifestBytes | undefined>;
  blob(digest: Digest, maxBytes: number): Promise<Uint8Array | undefined>;
  openBlob(digest: Digest): Promise<AsyncIterable<Uint8Array> | undefined>;
  close(): Promise<void>;
}

/** How deep indexes may lie in one another; builders write one inside a layout's index. */
const maxIndexDepth = 4;

/** `root` is the manifest or index that was named. */
export function sourceOfContent(reference: string, root: ManifestBytes, reader: ContentReader): ImageSource {
  const records = new Map<Digest, Promise<ImageRecord>>();

  async function load(digest: Digest, mediaType: string): Promise<ManifestBytes> {
    const found = digest === root.digest ? root : await reader.manifest(digest, mediaType);
    if (found === undefined) throw notFound(reference, `manifest ${digest}`);
    return found;
  }

  async function readRecord(digest: Digest): Promise<ImageRecord> {
    const manifest = parseManifest(await load(digest, ''));
    if (manifest.kind !== 'image') {
      const found =
        manifest.kind === 'index' ? 'an index' : `an artifact of the type ${manifest.artifactType}`;
      throw new PlimsollError('UNSUPPORTED_MEDIA_TYPE', `${reference}: expected an image, found ${found}`);
    }
    const config = await reader.blob(manifest.config.digest, maxConfigBytes);
    if (config === undefined) throw notFound(reference, `config ${manifest.config.digest}`);
    return parseImageConfig(config, manifest, digest);
  }

  function record(digest: Digest): Promise<ImageRecord> {
    const known = records.get(digest) ?? readRecord(digest);
    records.set(digest, known);
    return known;
  }

  /** Children of an index and of those inside it. */
  async function childrenOf(raw: ManifestBytes, depth: number, found: IndexChild[]): Promise<void> {
    const manifest = parseManifest(raw);
    if (manifest.kind !== 'index') return;
    if (depth > maxIndexDepth) {
      throw new PlimsollError(
        'INVALID_MANIFEST',
        `${reference}: indexes lie more than ${maxIndexDepth} deep`,
      );
    }
    for (const child of manifest.children) {
      if (isIndexType(child.mediaType)) {
        await childrenOf(await load(child.digest, child.mediaType), depth + 1, found);
      } else {
        found.push(child);
      }
      if (found.length > maxIndexEntries) {
        throw new PlimsollError('INVALID_MANIFEST', `${reference}: more than ${maxIndexEntries} images`);
      }
    }
  }

  async function toImage(digest: Digest, mediaType: string, platform?: Platform): Promise<SourceImage> {
    return { digest, mediaType, platform: platform ?? (await record(digest)).platform };
  }

  return {
    reference,
    digest: root.digest,
    issues: [],
    async images() {
      if (parseManifest(root).kind !== 'index') return [await toImage(root.digest, root.mediaType)];
      const children: IndexChild[] = [];
      await childrenOf(root, 1, children);
      if (children.length === 0) {
        throw new PlimsollError('UNSUPPORTED_MEDIA_TYPE', `${reference}: the index names no image`);
      }
      const images: SourceImage[] = [];
      for (const child of children) images.push(await toImage(child.digest, child.mediaType, child.platform));
      return images;
    },
    record,
    async openLayer(layer: ImageLayer) {
      const bytes = await reader.openBlob(layer.digest);
      if (bytes === undefined) throw notFound(reference, `layer ${layer.digest}`);
      return bytes;
    },
    close: () => reader.close(),
  };
}

function notFound(reference: string, what: string): PlimsollError {
  return new PlimsollError('NOT_FOUND', `${reference}: ${what} is not there; copy or pull the image again`);
}
