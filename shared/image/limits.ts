/** The limits of one layer: everything in it is hostile, and each of these turns into a coverage issue, never a crash. */

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const gibibyte = 1024 * mebibyte;

export interface LayerLimits {
  /** Most compressed bytes; past it nothing is stored, because hashing them alone takes minutes of one worker. */
  readonly maxLayerCompressedBytes: number;
  /** Most uncompressed bytes: some five minutes of one processor core, twenty times the largest images in use. */
  readonly maxLayerUncompressedBytes: number;
  /** Most uncompressed bytes per compressed one. Text packs about 10:1, logs 50:1, deflate ends at 1,032:1, zstd at
   *  30,000:1: past 200 the content is made to cost time. */
  readonly maxRatio: number;
  /** Uncompressed bytes below which the ratio does not count: empty and preallocated files pack without end. */
  readonly ratioFloorBytes: number;
  /** Most gzip members or zstd frames. eStargz and zstd:chunked make a few for every file; an empty member of 20 bytes
   *  costs microseconds, so a layer of nothing else would keep a worker for hours. */
  readonly maxMembers: number;
  /** Most archive entries. Large images with a data-science distribution hold half a million files. */
  readonly maxEntries: number;
  /** Longest path in bytes of UTF-8: Linux's PATH_MAX, past which no runtime can make the file. */
  readonly maxPathBytes: number;
  /** Most bytes of one PAX header, GNU long name or sparse map; the same as Go's archive/tar, so what the container
   *  runtimes accept is accepted here. */
  readonly maxMetadataBytes: number;
  /** Bytes that reading one layer may hold: kept files, paths, a zstd window over 8 MiB. With Node's own 80 MB and the
   *  buffers in flight that makes 200 to 300 MB for the most hostile layers known, at times 100 MB more of garbage, and
   *  500 MB for four of them at once (bench/fuzz-layer-memory.ts). */
  readonly maxMemoryBytes: number;
  /** Largest zstd window: it must leave room in maxMemoryBytes. `zstd --ultra -21` uses it in full, build tools at most
   *  8 MiB. */
  readonly maxZstdWindowBytes: number;
  /** Bytes of all claims of a layer, by an estimate: a full distribution with 100,000 owned files claims 10 MB. */
  readonly maxClaimBytes: number;
  /** Issues of one code that are listed; the rest is counted in one line, so that a million bad paths stay readable. */
  readonly maxIssuesPerCode: number;
}

export const defaultLayerLimits: LayerLimits = {
  maxLayerCompressedBytes: 20 * gibibyte,
  maxLayerUncompressedBytes: 100 * gibibyte,
  maxRatio: 200,
  ratioFloorBytes: 3 * gibibyte,
  maxMembers: 4_000_000,
  maxEntries: 1_500_000,
  maxPathBytes: 4096,
  maxMetadataBytes: mebibyte,
  maxMemoryBytes: 96 * mebibyte,
  maxZstdWindowBytes: 64 * mebibyte,
  maxClaimBytes: 32 * mebibyte,
  maxIssuesPerCode: 100,
};
