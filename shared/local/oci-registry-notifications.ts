/** Tells a URL what happens in the local registry, as Docker Distribution does: one event per envelope, in order, each
 *  until it is taken (distribution, docs/content/about/notifications.md). */
import { randomUUID } from 'node:crypto';
import { validateHeaderValue } from 'node:http';
import { createHttpClient, isNetworkError } from '../base/http.ts';
import { waitMs } from '../base/retry.ts';
import type { Descriptor } from '../image/manifest.ts';

export interface NotificationOptions {
  readonly url: string;
  /** The whole `Authorization` header, as `Bearer …`. */
  readonly authorization?: string;
  /** Actions not to tell, as `pull`. */
  readonly ignoredActions?: readonly string[];
  /** How long an answer may take; Distribution's default is 1 s. */
  readonly timeoutMs?: number;
  /** Wait after a failure; Distribution's example is 1 s. */
  readonly backoffMs?: number;
}

export interface RegistryEvent {
  readonly action: 'push' | 'pull' | 'mount' | 'delete';
  readonly target: EventTarget;
  readonly request: EventRequest;
}

export interface EventTarget {
  readonly mediaType?: string;
  readonly size?: number;
  readonly digest?: string;
  readonly length?: number;
  readonly repository: string;
  readonly fromRepository?: string;
  readonly url?: string;
  readonly tag?: string;
  readonly references?: readonly Pick<Descriptor, 'digest'>[];
}

export interface EventRequest {
  readonly id: string;
  readonly addr: string;
  readonly host: string;
  readonly method: string;
  readonly useragent: string;
}

export interface Notifier {
  /** Puts the event in the queue, which lives in memory like the real one's. */
  tell(event: RegistryEvent): void;
  /** Resolves when everything told so far was taken. */
  drained(): Promise<void>;
  /** Gives up what was not taken. */
  close(): Promise<void>;
}

/** Throws a TypeError where the URL is none or the header could not be sent. */
export function startNotifier(options: NotificationOptions, sourceAddress: string): Notifier {
  const url = new URL(options.url);
  validateHeaderValue('authorization', options.authorization ?? '');
  const http = createHttpClient({ maxConnections: 1 });
  const stop = new AbortController();
  const instanceID = randomUUID();
  const ignored = new Set(options.ignoredActions ?? []);
  let tail: Promise<void> = Promise.resolve();

  async function deliver(body: string): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        if (await post(body)) return;
        await waitMs(options.backoffMs ?? 1_000, stop.signal);
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
    }
  }

  async function post(body: string): Promise<boolean> {
    const timeoutMs = options.timeoutMs ?? 1_000;
    const headers = {
      'content-type': 'application/vnd.docker.distribution.events.v2+json',
      ...(options.authorization === undefined ? {} : { authorization: options.authorization }),
    };
    try {
      const request = {
        method: 'POST',
        url,
        headers,
        body,
        idleTimeoutMs: timeoutMs,
      } as const;
      const response = await http.send({ ...request, signal: stop.signal });
      response.discard();
      return response.status >= 200 && response.status < 400;
    } catch (error) {
      if (!isNetworkError(error)) throw error;
      return false;
    }
  }

  return {
    tell(event) {
      if (ignored.has(event.action)) return;
      const envelope = {
        events: [
          {
            id: randomUUID(),
            timestamp: new Date().toISOString(),
            ...event,
            actor: {},
            source: { addr: sourceAddress, instanceID },
          },
        ],
      };
      const body = JSON.stringify(envelope);
      tail = tail.then(() => deliver(body));
      // Whoever waits in drained() sees it; nobody else may be ended by it.
      tail.catch(() => {});
    },
    drained: () => tail,
    async close() {
      stop.abort();
      await tail;
      http.close();
    },
  };
}
