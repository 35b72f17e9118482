/** Decodes small pieces at once: a stream for each of thousands of gzip members or zstd frames would cost more than
 *  their content. */
import zlib, { inflateRawSync } from 'node:zlib';

/** Compressed bytes up to which a piece is small. */
export const smallPieceBytes = 64 * 1024;

/** What a small piece decoded to, and how many of the bytes belonged to it. */
export interface SmallPiece {
  readonly bytes: Buffer;
  readonly takenBytes: number;
}

/** Decodes the raw deflate data that the bytes begin with; undefined where that does not end within them, is too large
 *  or is ill-formed: a stream tells which. */
export function inflateSmall(bytes: Buffer): SmallPiece | undefined {
  return decodeSmall(() => inflateRawSync(bytes, { ...options, info: true }));
}

/** Decodes one whole zstd frame; undefined as in inflateSmall. */
export function unzstdSmall(bytes: Buffer): SmallPiece | undefined {
  return decodeSmall(() => zlib.zstdDecompressSync(bytes, { ...options, info: true }));
}

const options = { chunkSize: 64 * 1024, maxOutputLength: 1024 * 1024 };

function decodeSmall(decode: () => unknown): SmallPiece | undefined {
  let decoded: unknown;
  try {
    decoded = decode();
  } catch (error) {
    // Whatever zlib finds wrong, the stream finds again and tells; anything else is a fault of ours.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
  if (!hasInfo(decoded)) return undefined;
  return { bytes: decoded.buffer, takenBytes: decoded.engine.bytesWritten };
}

/** With `info` the result has this form (Node's zlib documentation, "Convenience methods"), which its types lack. */
function hasInfo(
  value: unknown,
): value is { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } } {
  if (typeof value !== 'object' || value === null || !('buffer' in value) || !('engine' in value))
    return false;
  const { buffer, engine } = value;
  if (!Buffer.isBuffer(buffer) || typeof engine !== 'object' || engine === null) return false;
  return 'bytesWritten' in engine && typeof engine.bytesWritten === 'number';
}
