/** Reads a manifest: an image, an index of images, or an artifact that is no image (image-spec manifest.md, image-index.md). */
import { z } from 'zod';
import { type Digest, requireDigest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { Platform } from '../domain/platform.ts';
import { requireJsonBounds } from './json-limits.ts';
import {
  isArtifactLayerType,
  isImageConfigType,
  isImageLayerType,
  isImageManifestType,
  isIndexType,
  ociEmptyType,
  ociIndexType,
  ociManifestType,
  refusedManifestTypes,
} from './media-types.ts';

/** Most bytes of a manifest: what registries accept on push (distribution-spec, "Pushing manifests"). */
export const maxManifestBytes = 4 * 1024 * 1024;
/** Most layers of an image; runtimes stop at 127, builders of single-file layers at some hundreds. */
export const maxLayers = 1_000;
/** Most entries of an index; each one costs a pull. The largest known have some dozens. */
export const maxIndexEntries = 1_000;

export interface Descriptor {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
}

/** An image of an index, or an index inside it: the media type says which. */
export interface IndexChild extends Descriptor {
  /** As the index claims it; the image's own config decides. */
  readonly platform?: Platform;
}

/** An entry of an index that holds provenance or an SBOM about another entry. */
export interface IndexAttestation extends Descriptor {
  readonly subject?: Digest;
}

/** An entry of an index that is neither, with its type. */
export interface IndexOther extends Descriptor {
  readonly artifactType: string;
}

export type ParsedManifest =
  | {
      readonly kind: 'image';
      readonly mediaType: string;
      readonly config: Descriptor;
      readonly layers: readonly Descriptor[];
    }
  | {
      readonly kind: 'index';
      readonly mediaType: string;
      readonly children: readonly IndexChild[];
      readonly attestations: readonly IndexAttestation[];
      readonly others: readonly IndexOther[];
    }
  | { readonly kind: 'artifact'; readonly mediaType: string; readonly artifactType: string };

export type ImageManifest = Extract<ParsedManifest, { kind: 'image' }>;
export type IndexManifest = Extract<ParsedManifest, { kind: 'index' }>;

export interface ManifestBytes {
  readonly digest: Digest;
  /** As the registry or the layout says; the body's own `mediaType` must agree where both are manifest types. */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/**
 * Says what a manifest is. What runs as an image counts as one whatever its `artifactType` says, for runtimes ignore
 * that; what has an image's config but only layers that no runtime unpacks (attestations) is an artifact.
 * Throws INVALID_MANIFEST, INVALID_DIGEST (a digest that can't be verified), UNSUPPORTED_MEDIA_TYPE, TOO_LARGE.
 */
export function parseManifest(raw: ManifestBytes): ParsedManifest {
  const where = `manifest ${raw.digest}`;
  const body = parseBody(raw.bytes, where);
  const mediaType = decideMediaType(body, raw.mediaType, where);
  const hasImageKeys = body.layers !== undefined || body.config !== undefined;
  // Clients that read one or the other would run different images under the same digest (CVE-2021-41190).
  if (body.manifests !== undefined && hasImageKeys) {
    throw invalid(where, 'either "manifests" or "config" and "layers"', 'both');
  }
  if (isIndexType(mediaType)) {
    if (body.manifests === undefined) throw invalid(where, `"manifests" in an ${mediaType}`, 'none');
    return parseIndex(mediaType, body.manifests, where);
  }
  if (body.config === undefined || body.layers === undefined) {
    throw invalid(where, `"config" and "layers" in an ${mediaType}`, 'not both');
  }
  return parseImage(mediaType, body.config, body.layers, body.artifactType, where);
}

/**
 * The media type of a manifest: the body's own, else `contentType`, else what its shape says. Parameters of the
 * content type do not count. Throws INVALID_MANIFEST where both are manifest types and differ, or where the bytes
 * are no manifest; UNSUPPORTED_MEDIA_TYPE for schema 1 and OCI's withdrawn artifact manifest.
 */
export function manifestMediaType(bytes: Uint8Array, contentType: string, where: string): string {
  return decideMediaType(parseBody(bytes, where), contentType, where);
}

const shortText = z.string().max(255);
const descriptorSchema = z.object({
  mediaType: shortText.default(''),
  digest: shortText,
  size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  artifactType: shortText.optional(),
  platform: z
    .object({ os: shortText.default(''), architecture: shortText.default(''), variant: shortText.optional() })
    .nullish(),
  annotations: z
    .object({
      'vnd.docker.reference.type': z.string().optional(),
      'vnd.docker.reference.digest': z.string().optional(),
    })
    .nullish(),
});
type RawDescriptor = z.infer<typeof descriptorSchema>;

const bodySchema = z.object({
  schemaVersion: z.number(),
  mediaType: shortText.optional(),
  artifactType: shortText.optional(),
  config: descriptorSchema.optional(),
  layers: z.array(descriptorSchema).max(maxLayers).optional(),
  manifests: z.array(descriptorSchema).max(maxIndexEntries).optional(),
});
type Body = z.infer<typeof bodySchema>;

const bodyKeys = ['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'manifests'];
const descriptorKeys = ['mediaType', 'digest', 'size', 'artifactType', 'platform', 'annotations'];

function parseBody(bytes: Uint8Array, where: string): Body {
  if (bytes.byteLength > maxManifestBytes) {
    throw new PlimsollError(
      'TOO_LARGE',
      `${where}: at most ${maxManifestBytes} bytes are read, found ${bytes.byteLength}`,
    );
  }
  requireJsonBounds(bytes, where);
  const json = parseJson(bytes, where);
  refuseSchema1(json, where);
  refuseLookalikeKeys(json, bodyKeys, where);
  for (const descriptor of descriptorsOf(json)) refuseLookalikeKeys(descriptor, descriptorKeys, where);
  const parsed = bodySchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(where, 'a manifest', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  if (parsed.data.schemaVersion !== 2)
    throw invalid(where, 'schemaVersion 2', String(parsed.data.schemaVersion));
  return parsed.data;
}

function parseJson(bytes: Uint8Array, where: string): object {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof TypeError)) throw cause;
    throw invalid(where, 'a JSON object in UTF-8', 'something else', cause);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid(where, 'a JSON object', Array.isArray(json) ? 'an array' : typeof json);
  }
  return json;
}

function refuseSchema1(json: object, where: string): void {
  const version = 'schemaVersion' in json ? json.schemaVersion : undefined;
  const declared = 'mediaType' in json && typeof json.mediaType === 'string' ? json.mediaType : '';
  if (version === 1) throw unsupported(where, 'Docker manifest schema 1');
  const refused = refusedManifestTypes.get(declared);
  if (refused !== undefined) throw unsupported(where, refused);
}

/** Go's decoder, which runtimes use, matches keys whatever their case and takes the last one: a second `Layers` would
 *  be what runs, while `layers` is what is scanned. */
function refuseLookalikeKeys(value: object, known: readonly string[], where: string): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const folded = foldCase(key);
    const twin = known.find((name) => foldCase(name) === folded);
    if (twin !== undefined) throw invalid(where, `the key "${twin}"`, `"${key.slice(0, 40)}"`);
  }
}

/** Both directions, so that U+017F (long s) and U+212A (Kelvin sign) fold to s and k as in Go. */
function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}

function descriptorsOf(json: object): object[] {
  const found: unknown[] = [];
  if ('config' in json) found.push(json.config);
  if ('layers' in json && Array.isArray(json.layers)) found.push(...json.layers.slice(0, maxLayers));
  if ('manifests' in json && Array.isArray(json.manifests))
    found.push(...json.manifests.slice(0, maxIndexEntries));
  return found.filter((value) => typeof value === 'object' && value !== null);
}

function decideMediaType(body: Body, contentType: string, where: string): string {
  const announced = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  const refused = refusedManifestTypes.get(announced);
  if (refused !== undefined) throw unsupported(where, refused);
  const isKnown = (type: string): boolean => isIndexType(type) || isImageManifestType(type);
  if (body.mediaType !== undefined && body.mediaType !== '') {
    if (!isKnown(body.mediaType)) throw unsupported(where, `the type ${body.mediaType}`);
    if (isKnown(announced) && announced !== body.mediaType) {
      throw invalid(where, `the content type to be the body's ${body.mediaType}`, announced);
    }
    return body.mediaType;
  }
  if (isKnown(announced)) return announced;
  return body.manifests === undefined ? ociManifestType : ociIndexType;
}

function parseImage(
  mediaType: string,
  rawConfig: RawDescriptor,
  rawLayers: readonly RawDescriptor[],
  artifactType: string | undefined,
  where: string,
): ParsedManifest {
  const runsAsImage =
    isImageConfigType(rawConfig.mediaType) ||
    (rawConfig.mediaType === ociEmptyType && rawLayers.some((layer) => isImageLayerType(layer.mediaType)));
  const onlyArtifactLayers =
    rawLayers.length > 0 && rawLayers.every((layer) => isArtifactLayerType(layer.mediaType));
  if (runsAsImage && !onlyArtifactLayers) {
    return {
      kind: 'image',
      mediaType,
      config: toDescriptor(rawConfig, `config of ${where}`),
      layers: rawLayers.map((layer, index) => toDescriptor(layer, `layer ${index} of ${where}`)),
    };
  }
  const ownType = runsAsImage || rawConfig.mediaType === ociEmptyType ? undefined : rawConfig.mediaType;
  return {
    kind: 'artifact',
    mediaType,
    artifactType: artifactType || ownType || rawLayers[0]?.mediaType || rawConfig.mediaType,
  };
}

const attestationType = 'application/vnd.docker.attestation.manifest.v1+json';

/** Attestations stand in an index as buildkit writes them (attestation-storage.md). */
function parseIndex(
  mediaType: string,
  entries: readonly RawDescriptor[],
  where: string,
): Extract<ParsedManifest, { kind: 'index' }> {
  const children: IndexChild[] = [];
  const attestations: IndexAttestation[] = [];
  const others: IndexOther[] = [];
  entries.forEach((entry, index) => {
    const descriptor = toDescriptor(entry, `entry ${index} of ${where}`);
    const referenceType = entry.annotations?.['vnd.docker.reference.type'];
    if (!isIndexType(entry.mediaType) && !isImageManifestType(entry.mediaType)) {
      others.push({ ...descriptor, artifactType: entry.artifactType || entry.mediaType });
    } else if (
      isUnknownPlatform(entry) &&
      (referenceType !== undefined || entry.artifactType !== undefined)
    ) {
      const subject = entry.annotations?.['vnd.docker.reference.digest'];
      if (referenceType === 'attestation-manifest' || entry.artifactType === attestationType) {
        attestations.push({
          ...descriptor,
          ...(subject === undefined
            ? {}
            : { subject: requireDigest(subject, `subject of entry ${index} of ${where}`) }),
        });
      } else {
        others.push({ ...descriptor, artifactType: entry.artifactType ?? referenceType ?? '' });
      }
    } else {
      const platform = toPlatform(entry);
      children.push({ ...descriptor, ...(platform === undefined ? {} : { platform }) });
    }
  });
  return { kind: 'index', mediaType, children, attestations, others };
}

/** No runtime chooses `unknown/unknown`, so nothing that runs hides behind these annotations. */
function isUnknownPlatform(entry: RawDescriptor): boolean {
  return entry.platform?.os === 'unknown' && entry.platform.architecture === 'unknown';
}

function toPlatform(entry: RawDescriptor): Platform | undefined {
  const platform = entry.platform;
  if (platform === undefined || platform === null || isUnknownPlatform(entry)) return undefined;
  return readPlatform(platform.os, platform.architecture, platform.variant);
}

const platformWord = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A platform of plain words, or undefined where os or architecture is none; a variant that is none is left out. */
export function readPlatform(os: string, architecture: string, variant?: string): Platform | undefined {
  if (!platformWord.test(os) || !platformWord.test(architecture)) return undefined;
  return variant !== undefined && platformWord.test(variant)
    ? { os, architecture, variant }
    : { os, architecture };
}

function toDescriptor(raw: RawDescriptor, where: string): Descriptor {
  return { digest: requireDigest(raw.digest, where), mediaType: raw.mediaType, sizeBytes: raw.size };
}

function unsupported(where: string, found: string): PlimsollError {
  return new PlimsollError(
    'UNSUPPORTED_MEDIA_TYPE',
    `${where}: expected an OCI or Docker v2 schema 2 manifest or index, found ${found}; push the image again with a current builder`,
  );
}

function invalid(where: string, expected: string, found: string, cause?: unknown): PlimsollError {
  return new PlimsollError(
    'INVALID_MANIFEST',
    `${where}: expected ${expected}, found ${found}`,
    cause === undefined ? {} : { cause },
  );
}
