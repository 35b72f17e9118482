/** Fires the timer functions of an app: six-field NCRONTAB expressions, in UTC. */
import { Cron } from 'croner';
import type { Log } from '../../ports/log.ts';
import type { RegisteredFunction, Registrations } from './core-module.ts';
import { invoke, newInvocationId } from './invocation.ts';

export interface TimerFunction {
  readonly schedule: Cron;
  readonly runOnStartup: boolean;
  readonly registered: RegisteredFunction;
}

export interface TimerOptions {
  readonly app: Registrations;
  readonly functions: readonly TimerFunction[];
  readonly log: Log;
  /** Called after each invocation. */
  readonly onInvoked: () => void;
}

export interface TimerListener {
  /** Runs a function now, beside its schedule. Rejects with what it throws. */
  fire(one: TimerFunction): Promise<void>;
  /** Fires no more and waits for what runs, drainMs at most. */
  stop(drainMs: number): Promise<void>;
}

/** Throws a plain Error with the reason where the expression has other than six fields or does not parse. */
export function parseSchedule(expression: string): Cron {
  const fields = expression.trim().split(/\s+/).length;
  if (fields !== 6) {
    throw new Error(`expected a schedule of six fields, found ${fields} in "${expression}"`);
  }
  // NCRONTAB wants day of month and day of week both to match.
  return new Cron(expression, { timezone: 'UTC', mode: '6-part', domAndDow: true, paused: true });
}

/** Fires until stopped. A function is not fired while it still runs. */
export function listenForTimers(options: TimerOptions): TimerListener {
  const running = new Set<Promise<void>>();
  let stopped = false;
  const fire = async (one: TimerFunction): Promise<void> => {
    const run = fireOnce(options, one);
    running.add(run);
    try {
      await run;
    } finally {
      running.delete(run);
      options.onInvoked();
    }
  };
  /** What it throws is told, and the next time it fires again. */
  const fireAndTell = (one: TimerFunction): Promise<void> =>
    fire(one).catch((error: unknown) => {
      options.log.error('timer-failed', { function: one.registered.name, error: String(error) });
    });
  const jobs = options.functions.map(
    (one) =>
      new Cron(
        one.schedule.getPattern() ?? '',
        { timezone: 'UTC', mode: '6-part', domAndDow: true, protect: true },
        () => (stopped ? undefined : fireAndTell(one)),
      ),
  );
  for (const one of options.functions) {
    if (one.runOnStartup) {
      void fireAndTell(one);
    }
  }
  return {
    fire,
    async stop(drainMs) {
      stopped = true;
      jobs.forEach((job) => job.stop());
      let timeout: NodeJS.Timeout | undefined;
      await Promise.race([
        Promise.allSettled(running),
        new Promise((resolve) => {
          timeout = setTimeout(resolve, drainMs);
        }),
      ]);
      clearTimeout(timeout);
    },
  };
}

async function fireOnce({ app, log }: TimerOptions, { schedule, registered }: TimerFunction): Promise<void> {
  const status = { Next: schedule.nextRun()?.toISOString() };
  const timer = { Schedule: { AdjustForDST: true }, ScheduleStatus: status, IsPastDue: false };
  const data = { json: JSON.stringify(timer) };
  await invoke(app, registered, { invocationId: newInvocationId(), data, triggerMetadata: {} }, log);
}
