/** Runs a Functions app inside this process, as Azure's host would: HTTP, Storage queues and timers. */
import { PlimsollError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import { readHostSettings } from './host-settings.ts';
import { listenForHttp } from './http-functions.ts';
import { findStreamUrl } from './http-streams.ts';
import { runHooks } from './invocation.ts';
import { findAppFiles, loadApp } from './load-app.ts';
import { listenForMessages, type QueueTimings } from './queue-functions.ts';
import type { QueueSource } from './queue-source.ts';
import { listenForTimers } from './timer-functions.ts';
import { type LoadedFunction, sortFunctions } from './triggers.ts';

/** The host takes no more in one request. */
const maxBodyBytes = 100 * 1024 * 1024;

export interface RunnerOptions {
  /** Folder with host.json and package.json. */
  readonly appDir: string;
  /** Absolute paths of the files that register functions; without them `main` of package.json tells. */
  readonly files?: readonly string[];
  /** 0 takes any free port. */
  readonly port: number;
  readonly queues: QueueSource;
  /** Values of `%NAME%` in queue names and schedules. */
  readonly settings?: Readonly<Record<string, string | undefined>>;
  readonly timings?: Partial<RunnerTimings>;
  /** False lets timers fire by `fireTimer` alone. */
  readonly timers?: boolean;
  /** True starts without looking at the queues, until resumeQueues. */
  readonly queuesPaused?: boolean;
  readonly log: Log;
}

export interface RunnerTimings extends QueueTimings {
  /** Delay before a failed message is tried again; host.json's visibilityTimeout without it. */
  readonly retryMs: number;
  /** How long stop waits for what runs. */
  readonly drainMs: number;
}

export interface Runner {
  /** `http://127.0.0.1:<port>`, without the route prefix. */
  readonly url: string;
  /** In order of name. */
  readonly functions: readonly LoadedFunction[];
  pauseQueues(): void;
  resumeQueues(): void;
  /** Runs a timer function now. Throws NOT_FOUND where there is none of this name, and what the function throws. */
  fireTimer(name: string): Promise<void>;
  /** Takes no more messages, lets what runs finish, then closes HTTP. */
  stop(): Promise<void>;
}

const defaultTimings: Omit<RunnerTimings, 'retryMs'> = {
  leaseMs: 10 * 60 * 1000,
  minPollMs: 100,
  maxPollMs: 1_000,
  drainMs: 30_000,
};

/**
 * Loads the app and starts its triggers. Throws INVALID_SETTING where the app does not load, host.json is wrong or the
 * port is taken. A function with a wrong route, queue or schedule is disabled alone and says so in `functions`.
 */
export async function startRunner(options: RunnerOptions): Promise<Runner> {
  const { log } = options;
  const timings = { ...defaultTimings, ...options.timings };
  const read = await readHostSettings(options.appDir);
  const settings = { ...read, visibilityTimeoutMs: timings.retryMs ?? read.visibilityTimeoutMs };
  const app = await loadApp(options.files ?? (await findAppFiles(options.appDir)), log);
  const sorted = sortFunctions(app, settings.routePrefix, options.settings ?? {});
  for (const { name, error } of sorted.functions) {
    if (error !== undefined) {
      log.error('function-disabled', { function: name, error });
    }
  }
  const unwatch = reportUnhandledRejections(log);
  let wake = (): void => {};
  const http = await listenForHttp({
    app,
    functions: sorted.http,
    port: options.port,
    streamUrl: await findStreamUrl(app.model),
    maxBodyBytes,
    log,
    onInvoked: () => wake(),
  }).catch((error: unknown) => {
    unwatch();
    throw error;
  });
  await runHooks(app, 'appStart', { hookData: {}, appHookData: {}, functionAppDirectory: options.appDir });
  const queues = listenForMessages({
    ...timings,
    app,
    functions: sorted.queue,
    source: options.queues,
    settings,
    log,
    paused: options.queuesPaused ?? false,
  });
  wake = queues.wake;
  const timers = listenForTimers({
    app,
    functions: options.timers === false ? [] : sorted.timer,
    log,
    onInvoked: wake,
  });
  return {
    url: http.url,
    functions: sorted.functions,
    pauseQueues: queues.pause,
    resumeQueues: queues.resume,
    async fireTimer(name) {
      const timer = sorted.timer.find((one) => one.registered.name === name);
      if (timer === undefined) {
        throw new PlimsollError('NOT_FOUND', `expected a timer function, found none named ${name}`);
      }
      await timers.fire(timer);
    },
    async stop() {
      await Promise.all([queues.stop(timings.drainMs), timers.stop(timings.drainMs)]);
      await http.close(timings.drainMs);
      await runHooks(app, 'appTerminate', { hookData: {}, appHookData: {} });
      unwatch();
    },
  };
}

/** On Azure such a rejection kills the worker, so it is an error here too, told and not hidden. */
function reportUnhandledRejections(log: Log): () => void {
  const report = (reason: unknown): void => {
    log.error('unhandled-rejection', {
      error: reason instanceof Error ? (reason.stack ?? '') : String(reason),
    });
  };
  process.on('unhandledRejection', report);
  return () => process.off('unhandledRejection', report);
}
