/** Every lease, delay and age of the pipeline: parameters, so that tests need not wait. All in milliseconds. */

export interface Timings {
  /** First delay before a message that may pass is tried again; doubles with each attempt. */
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  /** After this age a message goes to the poison queue. */
  readonly giveUpAfterMs: number;
  /** How long a layer job waits behind another reader of the layer. */
  readonly claimedDelayMs: number;
  readonly claimLeaseMs: number;
  /** How long a manifest or blob may be missing at the registry (replication) before the place ends as gone. */
  readonly missingGraceMs: number;
  readonly missingRetryMs: number;
  /** Longer than any instance sees another's write late: a document is looked for again, or a message appears, after it. */
  readonly staleRetryMs: number;
  /** When a digest that no tag reaches is told all the same. */
  readonly tellUnreachedAfterMs: number;
  /** Age from which the outbox timer sends what a crash left. */
  readonly outboxAgeMs: number;
  /** Longest time that changes of a rescan are gathered for one message. */
  readonly gatherMaxMs: number;
  /** Age from which a rescan run without progress is taken up again. */
  readonly runStalledMs: number;
  /** How long policies, subscriptions and revisions are cached. */
  readonly configCacheMs: number;
  /** Delays before the second and every later try of a delivery; after the last one it has failed. */
  readonly deliveryDelaysMs: readonly number[];
  readonly deliveryTimeoutMs: number;
  /** Delay between two refresh jobs that one judge starts. */
  readonly refreshDelayMs: number;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

export const defaultTimings: Timings = {
  retryBaseMs: 15 * second,
  retryMaxMs: hour,
  giveUpAfterMs: 24 * hour,
  claimedDelayMs: 15 * second,
  claimLeaseMs: 10 * minute,
  missingGraceMs: 10 * minute,
  missingRetryMs: 15 * second,
  staleRetryMs: 2 * second,
  tellUnreachedAfterMs: 10 * minute,
  outboxAgeMs: 5 * minute,
  gatherMaxMs: 30 * minute,
  runStalledMs: hour,
  configCacheMs: minute,
  deliveryDelaysMs: [
    5 * second,
    5 * minute,
    30 * minute,
    2 * hour,
    5 * hour,
    10 * hour,
    14 * hour,
    20 * hour,
    24 * hour,
  ],
  deliveryTimeoutMs: 15 * second,
  refreshDelayMs: minute,
};
