/** Documents of the container `layers`: who reads a layer now, what is known of it. */
import type { Digest } from '../../domain/digest.ts';
import type { DocumentKey } from '../../ports/documents.ts';

export interface ClaimDocument {
  readonly type: 'claim';
  readonly owner: string;
  readonly expiresAt: string;
  /** How often the claim was taken over from a reader that vanished. */
  readonly takeovers: number;
}

export interface LayerDocument {
  readonly type: 'layer';
  /** analyzersHash of the newest inventory. */
  readonly newest: string;
  readonly readAt: string;
}

/** After so many takeovers the layer's message goes to the poison queue: it kills its readers. */
export const maxTakeovers = 3;

export function claimKey(layer: Digest): DocumentKey {
  return { container: 'layers', partition: layer, id: 'claim' };
}

export function layerDocumentKey(layer: Digest): DocumentKey {
  return { container: 'layers', partition: layer, id: 'layer' };
}
