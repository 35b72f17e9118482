/** Hands files to a cataloger as a layer would, in small chunks. */
import type { Cataloger, LayerFile } from '../../shared/catalogers/contract.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import type { Claim } from '../../shared/domain/package.ts';

export function layerFile(path: string, content: string | Uint8Array, chunkBytes = 7): LayerFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return {
    path,
    size: bytes.length,
    mode: 0o644,
    async *stream() {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
    },
    async bytes(maxBytes) {
      if (bytes.length > maxBytes) throw new PlimsollError('TOO_LARGE', `${path} is too large for the test`);
      return bytes;
    },
  };
}

/** The claims about one file, which the cataloger must want. */
export async function claimsOf(
  cataloger: Cataloger,
  path: string,
  content: string | Uint8Array,
  chunkBytes?: number,
): Promise<readonly Claim[]> {
  if (cataloger.wants(path) === undefined) throw new Error(`${cataloger.name} does not want ${path}`);
  const claims: Claim[] = [];
  for await (const claim of cataloger.catalog([layerFile(path, content, chunkBytes)])) claims.push(claim);
  return claims;
}
