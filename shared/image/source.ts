/** What the command line can scan: an image, or several for different platforms, and where its layers come from. */
import type { CoverageIssue } from '../domain/coverage.ts';
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { ImageLayer, ImageRecord } from '../domain/inventory.ts';
import { formatPlatform, type Platform, platformMatches } from '../domain/platform.ts';

export interface SourceImage {
  readonly digest: Digest;
  readonly platform: Platform;
  readonly mediaType: string;
}

export interface ImageSource {
  /** The target as a report names it. */
  readonly reference: string;
  /** Of what was named: an index or an image. */
  readonly digest: Digest;
  /** What of the source could not be read; each belongs in the report. */
  readonly issues: readonly CoverageIssue[];
  /** The images to choose from: one for a single image, one per platform for an index. */
  images(): Promise<readonly SourceImage[]>;
  /** The image as its manifest and config describe it. Throws NOT_FOUND, INVALID_MANIFEST, DIGEST_MISMATCH. */
  record(digest: Digest): Promise<ImageRecord>;
  /** The layer's bytes as stored, not verified: the reader hashes. May be called again. Throws NOT_FOUND. */
  openLayer(layer: ImageLayer): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}

/**
 * The image to scan: what `wanted` asks for, else linux with this machine's architecture, else the only one.
 * Of several that fit, the first, as runtimes do. Throws PLATFORM_REQUIRED naming what there is.
 */
export function choosePlatform<T extends { readonly platform: Platform }>(
  images: readonly T[],
  wanted: Platform | undefined,
  machine: Platform,
): T {
  const found = images.find((image) => platformMatches(wanted ?? machine, image.platform));
  if (found !== undefined) return found;
  const [only] = images;
  if (wanted === undefined && only !== undefined && images.length === 1) return only;
  const names = [...new Set(images.map((image) => formatPlatform(image.platform)))].join(', ');
  throw new PlimsollError(
    'PLATFORM_REQUIRED',
    wanted === undefined
      ? `there is no image for this machine (${formatPlatform(machine)}): choose with --platform one of ${names}`
      : `there is no image for ${formatPlatform(wanted)}: choose with --platform one of ${names}`,
  );
}

/** The platform whose images run here: linux, with the architecture in OCI's words (which are Go's). */
export function machinePlatform(nodeArchitecture: string): Platform {
  return { os: 'linux', architecture: goArchitectures[nodeArchitecture] ?? nodeArchitecture };
}

const goArchitectures: Readonly<Record<string, string | undefined>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};
