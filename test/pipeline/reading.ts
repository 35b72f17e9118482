/** What a test reads of a world's state. */
import type { ChangeSet } from '../../shared/pipeline/change-set.ts';
import type { DeliveryDocument } from '../../shared/pipeline/state/deliveries.ts';
import type { HistoryDocument, VerdictDocument } from '../../shared/pipeline/state/images.ts';
import type { ContainerName, DocumentBody } from '../../shared/ports/documents.ts';
import type { OutgoingRequest } from '../../shared/ports/sender.ts';
import type { MemoryWorld } from '../support/memory-ports.ts';

export function verdicts(memory: MemoryWorld): readonly VerdictDocument[] {
  return documentsOf<VerdictDocument>(memory, 'images', 'verdict');
}

export function verdictOf(memory: MemoryWorld, digest: string): VerdictDocument {
  const found = verdicts(memory).find((verdict) => verdict.digest === digest);
  if (found === undefined) throw new Error(`no verdict of ${digest}`);
  return found;
}

export function historyOf(memory: MemoryWorld, digest: string): readonly HistoryDocument[] {
  return documentsOf<HistoryDocument>(memory, 'images', 'history').filter((item) => item.digest === digest);
}

export function deliveries(memory: MemoryWorld): readonly DeliveryDocument[] {
  return documentsOf<DeliveryDocument>(memory, 'deliveries', 'delivery');
}

/** A notification as its receiver reads it. */
export interface Told {
  readonly id: string;
  readonly type: string;
  readonly images: readonly (Pick<ChangeSet, 'digest' | 'tag' | 'decision' | 'decisionBefore' | 'cause'> & {
    readonly changes: readonly {
      readonly id: string;
      readonly kind: string;
      readonly subject?: string;
      readonly title: string;
    }[];
  })[];
}

export function toldBy(request: OutgoingRequest): Told {
  const body = JSON.parse(request.body) as { type: string; data: { images?: Told['images'] } };
  return { id: request.headers['webhook-id'] ?? '', type: body.type, images: body.data.images ?? [] };
}

/** `kind title` of every change told, sorted. */
export function changesTold(requests: readonly OutgoingRequest[]): readonly string[] {
  return requests
    .flatMap((request) => toldBy(request).images)
    .flatMap((image) => image.changes.map((change) => `${change.kind} ${change.title}`))
    .sort();
}

function documentsOf<T extends DocumentBody>(
  memory: MemoryWorld,
  container: ContainerName,
  type: string,
): readonly T[] {
  return memory.documents
    .dump(container)
    .filter((document) => document.value.type === type)
    .map((document) => document.value as unknown as T);
}
