/** What a cataloger is: one package format, found by path, read as data. */
import type { Claim } from '../domain/package.ts';

/** Names the files that are read together; the path itself where a file stands alone. */
export type GroupKey = string;

export interface LayerFile {
  /** Normalised path in the image, without a leading slash. */
  readonly path: string;
  readonly size: number;
  /** Permission bits as the archive gives them. */
  readonly mode: number;
  /** The content as it comes. A file can be read once, by stream() or by bytes(). */
  stream(): AsyncIterable<Uint8Array>;
  /** The whole content. Throws TOO_LARGE past maxBytes. */
  bytes(maxBytes: number): Promise<Uint8Array>;
}

/** Finds what one kind of file in an image declares. */
export interface Cataloger {
  readonly name: string;
  /** Part of a layer inventory's key: raise it whenever the output can change. */
  readonly version: number;
  /** Most bytes of one file that this cataloger reads; a larger file is a coverage issue FILE_TOO_LARGE. */
  readonly maxFileBytes: number;
  /** True where several files make one group: they are held until the layer ends. */
  readonly grouped?: boolean;
  /** Decides from the path alone, for every entry of every layer, so it must be cheap. Files with the same group
   *  key are handed over together. */
  wants(path: string): GroupKey | undefined;
  /** Reads a group. An ill-formed file yields `unreadable`; it throws only what reading the bytes throws. */
  catalog(files: readonly LayerFile[]): AsyncIterable<Claim>;
}
