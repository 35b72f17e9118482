/** Documents of the container `deliveries`: what to tell a subscription, and what became of it. */
import type { DocumentKey } from '../../ports/documents.ts';

/** Longer than any message can live, else a late twin tells again. */
export const deliveryTtlSeconds = 30 * 24 * 60 * 60;

export interface DeliveryDocument {
  readonly type: 'delivery';
  readonly deliveryId: string;
  readonly subscriptionId: string;
  readonly status: 'pending' | 'delivered' | 'failed' | 'cancelled';
  /** Names of the changes blobs whose changes it tells; with the subscription's filter they fix the change ids. */
  readonly pairs: readonly string[];
  readonly changeCount: number;
  /** The rendered body, fixed before the first POST. */
  readonly body: string;
  /** Number of the try that is due; a message of an earlier one ends. */
  readonly tryNumber: number;
  /** The try from which the delays count: 0, or where somebody drove it again. */
  readonly firstTry: number;
  readonly createdAt: string;
  readonly lastTry: { readonly at: string; readonly outcome: string } | null;
}

/** A pair of a rescan that waits to be gathered into one delivery. */
export interface PendingDocument {
  readonly type: 'pending';
  readonly run: string;
  /** Name of the changes blob. */
  readonly pair: string;
  /** How many of its changes the subscription wants. */
  readonly changeCount: number;
  /** Number of the flush that took it; null while it waits. */
  readonly flush: number | null;
  readonly createdAt: string;
}

/** What one flush of a rescan run took: fixed once. */
export interface FlushDocument {
  readonly type: 'flush';
  readonly run: string;
  readonly number: number;
  readonly pairs: readonly string[];
}

export function deliveryKey(subscriptionId: string, deliveryId: string): DocumentKey {
  return { container: 'deliveries', partition: subscriptionId, id: `delivery.${deliveryId}` };
}

export function pendingKey(subscriptionId: string, pairHash: string): DocumentKey {
  return { container: 'deliveries', partition: subscriptionId, id: `pending.${pairHash}` };
}

export function flushKey(subscriptionId: string, run: string, number: number): DocumentKey {
  return {
    container: 'deliveries',
    partition: subscriptionId,
    id: `flush.${run}.${String(number).padStart(6, '0')}`,
  };
}
