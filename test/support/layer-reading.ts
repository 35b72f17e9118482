/** Reads layers in tests, with catalogers that only tell what they were given. */
import { createHash } from 'node:crypto';
import type { Cataloger, LayerFile } from '../../shared/catalogers/contract.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import type { LayerReading } from '../../shared/domain/inventory.ts';
import type { Claim } from '../../shared/domain/package.ts';
import { type ReadLayerOptions, readLayer } from '../../shared/image/read-layer.ts';
import { inChunks } from './tar-writer.ts';

export interface TellingOptions {
  readonly name?: string;
  /** Paths that it wants; every path that ends with `.txt` where it is left out. */
  readonly wants?: RegExp;
  readonly maxFileBytes?: number;
  /** Group of a path; makes the cataloger a grouped one. */
  readonly groupOf?: (path: string) => string;
}

/** Claims for each file a package whose name is the path and whose version is the content: as text up to 40 bytes, else
 *  as `length:sha256`. */
export function tellingCataloger(options: TellingOptions = {}): Cataloger {
  const wants = options.wants ?? /\.txt$/;
  return {
    name: options.name ?? 'telling',
    version: 1,
    maxFileBytes: options.maxFileBytes ?? 1_000_000,
    ...(options.groupOf === undefined ? {} : { grouped: true }),
    wants: (path) => (wants.test(path) ? (options.groupOf?.(path) ?? path) : undefined),
    async *catalog(files: readonly LayerFile[]): AsyncIterable<Claim> {
      for (const file of files) yield claimOf(file.path, await tell(file));
    },
  };
}

export function claimOf(path: string, version: string): Claim {
  return { kind: 'package', type: 'npm', name: path, version, evidence: 'installed', path };
}

/** Reads the bytes under their own digest, with one telling cataloger unless others are given. */
export function read(
  layer: Uint8Array,
  options: Partial<ReadLayerOptions> = {},
  chunkSizes: readonly number[] = [],
): Promise<LayerReading> {
  return readLayer(inChunks(layer, chunkSizes), {
    layerDigest: digestOf(layer),
    catalogers: [tellingCataloger()],
    ...options,
  });
}

/** What the telling catalogers were given: path to content. */
export function toldBy(reading: LayerReading): Record<string, string> {
  const claims = reading.inventory.groups.flatMap((group) => group.claims);
  return Object.fromEntries(
    claims.flatMap((claim) => (claim.kind === 'package' ? [[claim.name, claim.version]] : [])),
  );
}

/** Codes of the issues, with their paths where they have one. */
export function issuesOf(reading: LayerReading): string[] {
  return reading.inventory.issues.map(({ code, path }) => (path === undefined ? code : `${code} ${path}`));
}

async function tell(file: LayerFile): Promise<string> {
  const content: Uint8Array[] = [];
  for await (const part of file.stream()) content.push(part);
  const bytes = Buffer.concat(content);
  if (bytes.length <= 40) return bytes.toString();
  return `${bytes.length}:${createHash('sha256').update(bytes).digest('hex')}`;
}
