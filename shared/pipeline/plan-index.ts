/** Plans an image index: a record of its children, each then a push of its own. */
import type { Digest } from '../domain/digest.ts';
import type { Place } from '../domain/place.ts';
import type { IndexManifest } from '../image/manifest.ts';
import type { PipelineContext } from './context.ts';
import { type ImageEvent, newEnvelope, type PushEvent } from './messages.ts';
import { openPlace } from './open-place.ts';
import { type ImageDocument, imageDocumentKey } from './state/images.ts';

/** Attestations are kept as provenance by the index alone; every other child is planned, each platform once. */
export async function planIndex(
  context: PipelineContext,
  place: Place,
  digest: Digest,
  manifest: IndexManifest,
  event: PushEvent,
): Promise<undefined> {
  const image: ImageDocument = {
    type: 'image',
    kind: 'index',
    digest,
    mediaType: manifest.mediaType,
    children: manifest.children.map((child) => ({ digest: child.digest, platform: child.platform ?? null })),
  };
  await context.ports.documents.create(imageDocumentKey(digest), image);
  await openPlace(context, place, digest, { kind: 'index', proven: true, asOf: event.asOf });
  for (const child of new Set(manifest.children.map((entry) => entry.digest))) {
    // The parent is known before the child is judged, so that a child's first verdict is told under the index's tag.
    const standing = await openPlace(context, place, child, {
      kind: 'unknown',
      proven: false,
      asOf: event.asOf,
      parent: digest,
    });
    // An index is gone into once: indexes that name one another's images would multiply with each level.
    if (standing?.kind === 'index' && standing.proven) continue;
    await context.ports.queues.send('image-events', {
      ...newEnvelope(context.ports.clock.now(), event.asOf),
      kind: 'push',
      registry: place.registry,
      repository: place.repository,
      digest: child,
      arrival: event.arrival,
    } satisfies ImageEvent);
  }
  return undefined;
}
