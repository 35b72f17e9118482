/** Keeps an event that will not be scanned for a week, so that it can be counted and shown. */
import { digestOf } from '../domain/digest.ts';
import type { PipelineContext } from './context.ts';
import type { ImageEvent } from './messages.ts';
import { type IgnoredDocument, ignoredKey, ignoredTtlSeconds } from './state/places.ts';

/** The same event for the same reason is kept once. `reason` is a short word, `detail` one line for people. */
export async function recordIgnored(
  context: PipelineContext,
  event: ImageEvent,
  reason: string,
  detail: string | undefined,
): Promise<undefined> {
  const eventId = event.kind === 'ignored' ? event.eventId : undefined;
  const id = digestOf(JSON.stringify([eventId ?? event, reason])).slice('sha256:'.length);
  const document: IgnoredDocument = {
    type: 'ignored',
    registry: event.registry ?? null,
    repositoryName: event.repository ?? null,
    reason,
    detail: detail?.slice(0, 500) ?? null,
    at: context.ports.clock.now().toISOString(),
  };
  await context.ports.documents.create(ignoredKey(id), document, { ttlSeconds: ignoredTtlSeconds });
  context.ports.log.info('ignored', {
    reason,
    registry: document.registry,
    repository: document.repositoryName,
  });
  return undefined;
}
