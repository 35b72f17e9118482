/** What a request to the API is given: the pipeline's context, who calls, and this instance's short memory. */
import type { Digest } from '../domain/digest.ts';
import type { PipelineContext } from '../pipeline/context.ts';
import type { Callers } from '../ports/caller.ts';
import type { WebhookTokens } from './webhook-tokens.ts';

export interface ApiContext {
  readonly pipeline: PipelineContext;
  readonly callers: Callers;
  readonly tokens: WebhookTokens;
  readonly caches: ApiCaches;
}

/** What an instance remembers for seconds. Nothing is decided by it that a verdict rests on. */
export interface ApiCaches {
  /** Where tags pointed a moment ago, by `registry/repository:tag`. */
  readonly tags: Map<string, { readonly askedAtMs: number; readonly digest: Promise<Digest | undefined> }>;
  /** Images that the gate enqueued lately, by place and digest, with the moment. */
  readonly enqueued: Map<string, number>;
  /** The last health check. */
  health: { readonly askedAtMs: number; readonly result: Promise<Health> } | undefined;
}

/** What works and what does not; tells nothing else, because anybody may ask. */
export interface Health {
  readonly status: 'ok' | 'unavailable';
  readonly checks: Readonly<Record<string, 'ok' | 'unavailable'>>;
}

export function newApiCaches(): ApiCaches {
  return { tags: new Map(), enqueued: new Map(), health: undefined };
}
