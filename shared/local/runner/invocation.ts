/** Runs one function once, in the order of Azure's worker: arguments, hooks before, handler, hooks after, response. */
import { randomUUID } from 'node:crypto';
import type { Log } from '../../ports/log.ts';
import {
  type HookName,
  type InvocationStart,
  logAt,
  type RegisteredFunction,
  type Registrations,
  type RpcData,
} from './core-module.ts';

export interface InvocationInput {
  readonly invocationId: string;
  /** What the trigger hands over. */
  readonly data: RpcData;
  readonly triggerMetadata: Readonly<Record<string, RpcData>>;
}

export interface InvocationOutcome {
  /** What the handler returned. */
  readonly result: unknown;
  /** The same as the host gets it; undefined also where the library sent it as a stream. */
  readonly returnValue: RpcData | undefined;
}

/** The binding that starts a function. */
export function triggerOf(
  one: RegisteredFunction,
): { readonly name: string; readonly type: string } | undefined {
  const entry = Object.entries(one.bindings).find(
    ([, binding]) => binding.direction === 'in' && /trigger$/i.test(binding.type),
  );
  return entry === undefined ? undefined : { name: entry[0], type: entry[1].type };
}

export function newInvocationId(): string {
  return randomUUID();
}

/** Runs the handler; throws what it throws, after the hooks saw it. */
export async function invoke(
  app: Registrations,
  one: RegisteredFunction,
  input: InvocationInput,
  log: Log,
): Promise<InvocationOutcome> {
  const trigger = triggerOf(one);
  const { invocationId, triggerMetadata } = input;
  const start: InvocationStart = {
    invocationId,
    request: {
      invocationId,
      inputData: trigger === undefined ? [] : [{ name: trigger.name, data: input.data }],
      triggerMetadata,
    },
    metadata: { name: one.name, bindings: one.bindings },
    log: (level, _category, message) => logAt(log, level, 'function', { function: one.name, message }),
  };
  const model = one.model.getInvocationModel(start);
  const { context, inputs } = await model.getArguments();
  const shared = { hookData: {}, appHookData: {}, invocationContext: context, inputs };
  const before = { ...shared, functionCallback: one.callback };
  start.state = 'preInvocationHooks';
  await runHooks(app, 'preInvocation', before);
  start.state = 'invocation';
  let outcome: { result: unknown; error: unknown };
  try {
    outcome = {
      result: await model.invokeFunction(context, before.inputs, before.functionCallback),
      error: null,
    };
  } catch (error) {
    outcome = { result: null, error: error ?? new Error('the handler threw nothing') };
  }
  const after = { ...shared, inputs: before.inputs, ...outcome };
  start.state = 'postInvocationHooks';
  await runHooks(app, 'postInvocation', after);
  start.state = undefined;
  if (after.error !== null && after.error !== undefined) {
    throw after.error instanceof Error
      ? after.error
      : new Error('a handler threw no error', { cause: after.error });
  }
  const { returnValue } = await model.getResponse(context, after.result);
  return { result: after.result, returnValue: returnValue ?? undefined };
}

/** Runs the app's hooks of one kind in the order they were registered; what one throws goes up. */
export async function runHooks(
  app: Registrations,
  name: HookName,
  context: Record<string, unknown>,
): Promise<void> {
  for (const hook of app.hooks) {
    if (hook.name === name) {
      await hook.run(context);
    }
  }
}
