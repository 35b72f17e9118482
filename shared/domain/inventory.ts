/** What one layer holds (a function of its bytes and the analyzers alone) and what an image composes to. */
import type { CoverageIssue } from './coverage.ts';
import type { Digest } from './digest.ts';
import type { Claim, Distro, Package } from './package.ts';
import type { Platform } from './platform.ts';

/** Name and version of a cataloger, a part of a layer inventory's key. */
export interface Analyzer {
  readonly name: string;
  readonly version: number;
}

/** One wanted path of a layer. Listed even where nothing was found in it, because it hides what lower layers had there. */
export interface CatalogedFile {
  readonly path: string;
  readonly cataloger: string;
  /** Files with the same cataloger and group were read together. */
  readonly group: string;
  /** `file` was read here; a link is resolved when the image is composed. */
  readonly entry: 'file' | 'symlink' | 'hardlink';
  /** Where a link points, as a normalised path in the image. */
  readonly target?: string;
}

/** The claims of one group of files. */
export interface CatalogedGroup {
  readonly cataloger: string;
  readonly group: string;
  readonly claims: readonly Claim[];
}

export interface LayerInventory {
  readonly schema: 1;
  readonly layerDigest: Digest;
  /** Digest of the uncompressed bytes, as read; undefined where decompression ended early. */
  readonly diffId: Digest | undefined;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  readonly entryCount: number;
  readonly compression: 'none' | 'gzip' | 'zstd' | 'unknown';
  readonly analyzers: readonly Analyzer[];
  readonly files: readonly CatalogedFile[];
  readonly groups: readonly CatalogedGroup[];
  /** Paths of lower layers that this layer removes (`.wh.name`), with their subtrees. */
  readonly whiteouts: readonly string[];
  /** Directories whose lower content this layer hides (`.wh..wh..opq`). */
  readonly opaqueDirectories: readonly string[];
  /** Wanted paths that are directories in this layer: such a directory replaces a file or link of a lower layer. */
  readonly wantedDirectories: readonly string[];
  readonly issues: readonly CoverageIssue[];
}

/** An inventory and every path of the layer that is no directory: such a path hides a directory of a lower layer.
 *  Kept apart because only layers above another one need it. */
export interface LayerReading {
  readonly inventory: LayerInventory;
  readonly leafPaths: readonly string[];
}

/** One layer as the image's manifest and config name it. */
export interface ImageLayer {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** diff_ids[i] of the config; undefined where the config has fewer. */
  readonly diffId?: Digest;
  /** Command of the history entry, cut at 1,000 characters. */
  readonly createdBy?: string;
}

/** An image as its manifest and config describe it: a function of the manifest digest. */
export interface ImageRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly configDigest: Digest;
  readonly platform: Platform;
  /** Sum of the compressed layers. */
  readonly sizeBytes: number;
  readonly layers: readonly ImageLayer[];
}

/** What the layers of an image compose to. */
export interface ImageInventory {
  /** Sorted by purl. */
  readonly packages: readonly Package[];
  readonly distro: Distro | undefined;
  readonly analyzers: readonly Analyzer[];
  readonly issues: readonly CoverageIssue[];
}
