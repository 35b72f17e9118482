/** Polls the queues of an app's queue functions, with the tries, leases and poison queues of the Functions host. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../ports/log.ts';
import type { RegisteredFunction, Registrations, RpcData } from './core-module.ts';
import type { HostSettings } from './host-settings.ts';
import { invoke, newInvocationId } from './invocation.ts';
import type { QueueMessage, QueueSource } from './queue-source.ts';

export interface QueueFunction {
  readonly queue: string;
  readonly registered: RegisteredFunction;
}

export interface QueueTimings {
  /** How long a received message is hidden; renewed at half while its function runs. */
  readonly leaseMs: number;
  /** First and longest pause between two looks at an empty queue. */
  readonly minPollMs: number;
  readonly maxPollMs: number;
}

export interface QueueOptions extends QueueTimings {
  readonly app: Registrations;
  readonly functions: readonly QueueFunction[];
  readonly source: QueueSource;
  readonly settings: HostSettings;
  /** True starts without looking at the queues, until resume. */
  readonly paused: boolean;
  readonly log: Log;
}

export interface QueueListener {
  /** Looks at every queue soon: somebody may have sent a message. */
  wake(): void;
  pause(): void;
  resume(): void;
  /** Takes no more messages and waits for the running ones, drainMs at most; what is left stays hidden until its
   *  lease ends, then it comes again. */
  stop(drainMs: number): Promise<void>;
}

/** Polls until stopped. A queue that does not answer is tried again. */
export function listenForMessages(options: QueueOptions): QueueListener {
  const running = new Set<Promise<void>>();
  let stopped = false;
  let paused = options.paused;
  let woken = new AbortController();
  const wake = (): void => {
    woken.abort();
    woken = new AbortController();
  };

  async function poll({ queue, registered }: QueueFunction): Promise<void> {
    const { batchSize, newBatchThreshold } = options.settings;
    const own = new Set<Promise<void>>();
    let pauseMs = options.minPollMs;
    while (!stopped) {
      const messages = paused ? [] : await receive(options, queue, batchSize);
      for (const message of messages) {
        const run = runMessage(options, queue, registered, message).finally(() => {
          own.delete(run);
          running.delete(run);
          wake();
        });
        own.add(run);
        running.add(run);
      }
      while (own.size > newBatchThreshold && !stopped) {
        await Promise.race(own);
      }
      if (messages.length > 0) {
        pauseMs = options.minPollMs;
      } else if (await slept(pauseMs, woken.signal)) {
        pauseMs = Math.min(pauseMs * 2, options.maxPollMs);
      } else {
        pauseMs = options.minPollMs;
      }
    }
  }

  const polls = options.functions.map(poll);
  return {
    wake,
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      wake();
    },
    async stop(drainMs) {
      stopped = true;
      wake();
      const timeout = new AbortController();
      // A poll that is asking right now may still start what it gets.
      const ended = Promise.all(polls).then(() => Promise.all(running));
      await Promise.race([ended, sleep(drainMs, undefined, { signal: timeout.signal }).catch(() => {})]);
      timeout.abort();
      if (running.size > 0) {
        options.log.warn('messages-left', { messages: running.size });
      }
    },
  };
}

/** True where the whole pause went by, false where the signal ended it. */
async function slept(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) {
      return false;
    }
    throw error;
  }
}

async function receive(options: QueueOptions, queue: string, max: number): Promise<readonly QueueMessage[]> {
  try {
    return await options.source.receive(queue, max, options.leaseMs);
  } catch (error) {
    options.log.warn('queue-silent', { queue, error: String(error) });
    return [];
  }
}

/** One try of one message; never rejects. */
async function runMessage(
  options: QueueOptions,
  queue: string,
  registered: RegisteredFunction,
  received: QueueMessage,
): Promise<void> {
  const { source, settings, log } = options;
  let message = received;
  const renewal = setInterval(() => {
    source.hide(queue, message, options.leaseMs).then(
      (popReceipt) => {
        message = { ...message, popReceipt: popReceipt ?? message.popReceipt };
      },
      (error: unknown) => log.warn('lease-not-renewed', { queue, id: message.id, error: String(error) }),
    );
  }, options.leaseMs / 2);
  try {
    const failure = await tryMessage(options, registered, message);
    clearInterval(renewal);
    if (failure === undefined) {
      await source.remove(queue, message);
    } else {
      log.error('message-failed', {
        function: registered.name,
        queue,
        dequeueCount: message.dequeueCount,
        ...failure,
      });
      await putAside(source, settings, queue, message);
    }
  } catch (error) {
    // The message stays hidden until its lease ends, then it comes again.
    log.error('message-not-settled', { queue, id: message.id, error: String(error) });
  } finally {
    clearInterval(renewal);
  }
}

/** What the function threw, or undefined where it ended well. */
async function tryMessage(
  { app, settings, log }: QueueOptions,
  registered: RegisteredFunction,
  message: QueueMessage,
): Promise<{ readonly error: string } | undefined> {
  if (message.dequeueCount > settings.maxDequeueCount) {
    return { error: 'it was tried too often' };
  }
  const text = decode(message.text, settings.messageEncoding);
  if (text === undefined) {
    return { error: 'it is not base64' };
  }
  try {
    const triggerMetadata = describeMessage(message, text);
    await invoke(
      app,
      registered,
      { invocationId: newInvocationId(), data: { string: text }, triggerMetadata },
      log,
    );
    return undefined;
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Shows a failed message again after a delay, or moves it to the poison queue after its last try. */
async function putAside(
  source: QueueSource,
  settings: HostSettings,
  queue: string,
  message: QueueMessage,
): Promise<void> {
  const isUndecodable = decode(message.text, settings.messageEncoding) === undefined;
  if (message.dequeueCount < settings.maxDequeueCount && !isUndecodable) {
    await source.hide(queue, message, settings.visibilityTimeoutMs);
  } else if (!queue.endsWith('-poison')) {
    await source.send(`${queue}-poison`, message.text);
    await source.remove(queue, message);
  }
  // A poison queue has no poison queue: what fails there for the last time stays hidden until its lease ends.
}

function decode(text: string, encoding: HostSettings['messageEncoding']): string | undefined {
  if (encoding === 'none') {
    return text;
  }
  const isBase64 = /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0;
  return isBase64 ? Buffer.from(text, 'base64').toString('utf8') : undefined;
}

function describeMessage(message: QueueMessage, text: string): Readonly<Record<string, RpcData>> {
  const own: [string, unknown][] = [
    ['QueueTrigger', text],
    ['DequeueCount', message.dequeueCount],
    ['ExpirationTime', message.expiresAt],
    ['Id', message.id],
    ['InsertionTime', message.insertedAt],
    ['NextVisibleTime', message.nextVisibleAt],
    ['PopReceipt', message.popReceipt],
  ];
  const described: [string, RpcData][] = [...membersOf(text), ...own].flatMap(([name, value]) =>
    value === undefined ? [] : [[name, toRpc(value)]],
  );
  return Object.fromEntries(described);
}

/** A string goes as it is: the library looks whether it is JSON. */
function toRpc(value: unknown): RpcData {
  return typeof value === 'string' ? { string: value } : { json: JSON.stringify(value) };
}

/** The members of a JSON object, which the host mixes into the metadata. */
function membersOf(text: string): [string, unknown][] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  } catch (error) {
    if (error instanceof SyntaxError) {
      return [];
    }
    throw error;
  }
}
