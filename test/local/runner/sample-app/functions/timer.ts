/** Timers: one that fires when the app starts, one whose schedule is wrong. */
import { app, type InvocationContext, type Timer } from '@azure/functions';
import { calls } from '../calls.ts';

app.timer('every-year', { schedule: '0 0 0 1 1 *', runOnStartup: true, handler: note });
app.timer('every-second', { schedule: '%EVERY%', handler: note });
app.timer('bad-schedule', { schedule: '0 0 0 * *', handler: note });

function note(timer: Timer, context: InvocationContext): void {
  calls.push({ function: context.functionName, input: timer, metadata: undefined });
}
