/** Sorts the functions of an app by what triggers them and finds those that can't run. */
import { z } from 'zod';
import type { RegisteredFunction, Registrations } from './core-module.ts';
import type { HttpFunction } from './http-functions.ts';
import { triggerOf } from './invocation.ts';
import type { QueueFunction } from './queue-functions.ts';
import { parseRoute, type Route, routesConflict } from './route.ts';
import { parseSchedule, type TimerFunction } from './timer-functions.ts';

export interface LoadedFunction {
  readonly name: string;
  readonly trigger: 'http' | 'queue' | 'timer' | 'unknown';
  /** Route, queue or schedule. */
  readonly on: string;
  /** Why the function is disabled; the others are not affected. */
  readonly error: string | undefined;
}

export interface SortedFunctions {
  readonly http: readonly HttpFunction[];
  readonly queue: readonly QueueFunction[];
  readonly timer: readonly TimerFunction[];
  /** All, in order of name. */
  readonly functions: readonly LoadedFunction[];
}

type Settings = Readonly<Record<string, string | undefined>>;

const httpBinding = z.object({ methods: z.array(z.string()), route: z.string().optional() });
const queueBinding = z.object({ queueName: z.string() });
const timerBinding = z.object({ schedule: z.string(), runOnStartup: z.boolean().optional() });

/** Queue names of Storage: 3 to 63 lower-case letters, digits and single dashes. */
const queueNames = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;

/** The host takes functions in order of name; of two with one route the later is in error. */
export function sortFunctions(app: Registrations, routePrefix: string, settings: Settings): SortedFunctions {
  const http: HttpFunction[] = [];
  const queue: QueueFunction[] = [];
  const timer: TimerFunction[] = [];
  const functions: LoadedFunction[] = [];
  const byName = [...app.functions.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const registered of byName) {
    const type = triggerOf(registered)?.type.toLowerCase();
    const { name } = registered;
    try {
      const binding = bindingOf(registered);
      if (type === 'httptrigger') {
        const route = httpRoute(httpBinding.parse(binding), name, routePrefix, http);
        http.push({ route, registered });
        functions.push({
          name,
          trigger: 'http',
          on: `${route.methods.join(',')} /${route.template}`,
          error: undefined,
        });
      } else if (type === 'queuetrigger') {
        const queueName = resolve(queueBinding.parse(binding).queueName, settings).toLowerCase();
        if (!queueNames.test(queueName)) {
          throw new Error(`expected a queue's name, found "${queueName}"`);
        }
        queue.push({ queue: queueName, registered });
        functions.push({ name, trigger: 'queue', on: queueName, error: undefined });
      } else if (type === 'timertrigger') {
        const { schedule, runOnStartup = false } = timerBinding.parse(binding);
        const expression = resolve(schedule, settings);
        timer.push({ schedule: parseSchedule(expression), runOnStartup, registered });
        functions.push({ name, trigger: 'timer', on: expression, error: undefined });
      } else {
        throw new Error(`expected an HTTP, queue or timer trigger, found ${type ?? 'none'}`);
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      functions.push({ name, trigger: 'unknown', on: '', error: reason });
    }
  }
  return { http, queue, timer, functions };
}

function bindingOf(registered: RegisteredFunction): unknown {
  const trigger = triggerOf(registered);
  return trigger === undefined ? undefined : registered.bindings[trigger.name];
}

function httpRoute(
  binding: z.infer<typeof httpBinding>,
  name: string,
  routePrefix: string,
  earlier: readonly HttpFunction[],
): Route {
  const route = parseRoute(routePrefix, binding.route ?? name, binding.methods);
  const other = earlier.find((one) => routesConflict(one.route, route));
  if (other !== undefined) {
    throw new Error(`expected a route of its own, found that of the function ${other.registered.name}`);
  }
  return route;
}

/** Replaces `%NAME%` by a setting's value, as the host does in bindings. */
function resolve(text: string, settings: Settings): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (value === undefined) {
      throw new Error(`expected the setting ${name}, found none`);
    }
    return value;
  });
}
