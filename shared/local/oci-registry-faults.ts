/** Faults that the local registry commits on demand, so that what the client does about them is tested over real HTTP. */

/** What to do instead of, or while, answering. */
export type FaultKind =
  /** Ends the connection after so many bytes of the body. */
  | { readonly kind: 'break'; readonly afterBytes: number }
  /** Sends so many bytes of the body and then nothing more. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Answers 307 to the same path at another origin, or to a whole address, with a signature in the query. */
  | { readonly kind: 'redirect'; readonly to: string }
  /** Changes the first byte of the body. */
  | { readonly kind: 'wrong-bytes' }
  /** Answers a Range request with 200 and the whole blob. */
  | { readonly kind: 'ignore-range' }
  /** Answers with these headers instead of its own; an empty value leaves the header out. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> };

export type Fault = FaultKind & {
  readonly method?: string;
  /** Found in the request's path. */
  readonly path?: string;
  /** How many requests it meets; absent: one. */
  readonly times?: number;
};

export interface FaultPlan {
  add(fault: Fault): void;
  /** The first fault that the request meets, counted down; undefined where there is none. */
  take(method: string, path: string): Fault | undefined;
}

export function createFaultPlan(): FaultPlan {
  const planned: { readonly fault: Fault; left: number }[] = [];
  return {
    add: (fault) => {
      planned.push({ fault, left: fault.times ?? 1 });
    },
    take(method, path) {
      const entry = planned.find(
        ({ fault, left }) =>
          left > 0 && (fault.method ?? method) === method && path.includes(fault.path ?? ''),
      );
      if (entry !== undefined) entry.left--;
      return entry?.fault;
    },
  };
}
