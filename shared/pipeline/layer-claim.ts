/** Who reads a layer now: a lease that is renewed while reading and taken over from a reader that vanished. */
import type { Digest } from '../domain/digest.ts';
import type { PipelineContext } from './context.ts';
import { type ClaimDocument, claimKey, maxTakeovers } from './state/layers.ts';

export type Claim =
  | { readonly kind: 'mine'; release(): Promise<void> }
  /** Another one reads it. */
  | { readonly kind: 'claimed' }
  /** It was taken over too often: this layer kills its readers. */
  | { readonly kind: 'deadly' };

/** Renewals per lease: one may fail without the claim being lost. */
const renewalsPerLease = 3;

/** Claims the layer. Two readers at once (a pause, clock skew) are harmless: inventories are created once. */
export async function claimLayer(context: PipelineContext, layer: Digest): Promise<Claim> {
  const { documents } = context.ports;
  const owner = context.newId();
  const stored = await documents.read<ClaimDocument>(claimKey(layer));
  const nowMs = context.ports.clock.now().getTime();
  let takeovers = 0;
  let etag: string | undefined;
  if (stored === undefined) {
    etag = await documents.create(claimKey(layer), lease(context, owner, 0), ttl(context));
  } else {
    if (Date.parse(stored.value.expiresAt) > nowMs) return { kind: 'claimed' };
    takeovers = stored.value.takeovers + 1;
    if (takeovers > maxTakeovers) return { kind: 'deadly' };
    etag = await documents.replace(
      claimKey(layer),
      lease(context, owner, takeovers),
      stored.etag,
      ttl(context),
    );
  }
  if (etag === undefined) return { kind: 'claimed' };
  return hold(context, layer, owner, takeovers, etag);
}

/** Renews until released. A renewal that fails is let be: at worst a second reader starts. */
function hold(
  context: PipelineContext,
  layer: Digest,
  owner: string,
  takeovers: number,
  first: string,
): Claim {
  const { documents, log } = context.ports;
  let etag: string | undefined = first;
  let renewal: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewal = renewal.then(async () => {
      if (etag === undefined) return;
      try {
        etag = await documents.replace(claimKey(layer), lease(context, owner, takeovers), etag, ttl(context));
      } catch (error) {
        log.warn('claim-not-renewed', { detail: error instanceof Error ? error.message : 'unknown' });
      }
    });
  }, context.timings.claimLeaseMs / renewalsPerLease);
  timer.unref();
  return {
    kind: 'mine',
    async release() {
      clearInterval(timer);
      await renewal;
      if (etag !== undefined) await documents.remove(claimKey(layer), etag);
    },
  };
}

function lease(context: PipelineContext, owner: string, takeovers: number): ClaimDocument {
  const expiresAtMs = context.ports.clock.now().getTime() + context.timings.claimLeaseMs;
  return { type: 'claim', owner, takeovers, expiresAt: new Date(expiresAtMs).toISOString() };
}

/** Long past every lease: an abandoned claim still counts its takeovers for as long as its message can live. */
function ttl(context: PipelineContext): { ttlSeconds: number } {
  return { ttlSeconds: Math.ceil((context.timings.giveUpAfterMs * 2) / 1_000) };
}
