/** Sends one notification to a receiver that a user named. */

export interface OutgoingRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}

export interface OutgoingAnswer {
  readonly status: number;
  readonly retryAfterMs?: number;
}

export interface Sender {
  /** POSTs to an https address that is public at connect (loopback on one machine only); follows no redirect.
   *  Throws RECEIVER_REFUSED where the address is not allowed, RECEIVER_UNREACHABLE (retryable). */
  post(request: OutgoingRequest): Promise<OutgoingAnswer>;
}
