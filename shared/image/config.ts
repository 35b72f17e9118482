/** Reads an image's config beside its manifest (image-spec config.md). */
import { z } from 'zod';
import { type Digest, parseDigest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { ImageLayer, ImageRecord } from '../domain/inventory.ts';
import { requireJsonBounds } from './json-limits.ts';
import { type ImageManifest, readPlatform } from './manifest.ts';

/** Most bytes of a config: histories of generated images reach some hundred KB; containerd reads 8 MiB. */
export const maxConfigBytes = 8 * 1024 * 1024;
/** Longest command of a history entry that is kept, in characters. */
export const maxCreatedByLength = 1_000;

/**
 * The image as its manifest and config describe it. `manifestDigest` becomes the record's digest. What only informs
 * (history, diff ids, platform) may be missing or wrong: then it is left out, and the platform is `unknown/unknown`.
 * Throws INVALID_MANIFEST where the config is no JSON object, TOO_LARGE past maxConfigBytes or
 * imageJsonBounds.
 */
export function parseImageConfig(
  bytes: Uint8Array,
  manifest: ImageManifest,
  manifestDigest: Digest,
): ImageRecord {
  const config = parseConfig(bytes, manifest.config.digest);
  const diffIds = config.rootfs?.diff_ids ?? [];
  // An entry without empty_layer made the next layer.
  const commands = (config.history ?? []).filter((entry) => entry?.empty_layer !== true);
  const layers = manifest.layers.map((layer, index): ImageLayer => {
    const diffId = parseDigest(diffIds[index] ?? '');
    const createdBy = commands[index]?.created_by?.slice(0, maxCreatedByLength);
    return {
      digest: layer.digest,
      mediaType: layer.mediaType,
      sizeBytes: layer.sizeBytes,
      ...(diffId === undefined ? {} : { diffId }),
      ...(createdBy === undefined || createdBy === '' ? {} : { createdBy }),
    };
  });
  return {
    digest: manifestDigest,
    mediaType: manifest.mediaType,
    configDigest: manifest.config.digest,
    platform: readPlatform(config.os ?? '', config.architecture ?? '', config.variant) ?? {
      os: 'unknown',
      architecture: 'unknown',
    },
    sizeBytes: manifest.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    layers,
  };
}

const configSchema = z.object({
  os: z.string().optional().catch(undefined),
  architecture: z.string().optional().catch(undefined),
  variant: z.string().optional().catch(undefined),
  rootfs: z
    .object({ diff_ids: z.array(z.string().catch('')).optional() })
    .nullish()
    .catch(undefined),
  history: z
    .array(
      z
        .object({
          created_by: z.string().optional().catch(undefined),
          empty_layer: z.boolean().optional().catch(undefined),
        })
        .nullable()
        .catch(null),
    )
    .nullish()
    .catch(undefined),
});

function parseConfig(bytes: Uint8Array, digest: Digest): z.infer<typeof configSchema> {
  if (bytes.byteLength > maxConfigBytes) {
    throw new PlimsollError(
      'TOO_LARGE',
      `config ${digest}: at most ${maxConfigBytes} bytes are read, found ${bytes.byteLength}`,
    );
  }
  requireJsonBounds(bytes, `config ${digest}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof TypeError)) throw cause;
    throw new PlimsollError('INVALID_MANIFEST', `config ${digest}: expected JSON in UTF-8`, { cause });
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success)
    throw new PlimsollError('INVALID_MANIFEST', `config ${digest}: expected a JSON object`);
  return parsed.data;
}
