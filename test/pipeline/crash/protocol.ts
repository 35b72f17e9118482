/** What the crash test's process and the functions' process say to each other. */

import type { KeyedRow } from '../../../shared/advisories/osv-record.ts';

/** Work that the test hands to the functions' process, as a host would. */
export type Work =
  | { readonly kind: 'message'; readonly queue: string; readonly body: object; readonly dequeueCount: number }
  | { readonly kind: 'webhook'; readonly body: string }
  | { readonly kind: 'sync'; readonly advisories: readonly KeyedRow[] }
  | { readonly kind: 'timer'; readonly timer: 'send-outbox' | 'rescan-images' };

export type ToChild =
  | { readonly type: 'work'; readonly nowMs: number; readonly work: Work }
  | { readonly type: 'answer'; readonly id: number; readonly nowMs: number; readonly result: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: WireError }
  /** Forget everything: another run begins. */
  | { readonly type: 'reset' };

export type ToParent =
  | { readonly type: 'ready' }
  | {
      readonly type: 'call';
      readonly id: number;
      readonly port: string;
      readonly method: string;
      readonly args: unknown[];
    }
  | { readonly type: 'done'; readonly status?: number; readonly error?: string };

export interface WireError {
  readonly code: string | undefined;
  readonly message: string;
  readonly retryable: boolean;
}
