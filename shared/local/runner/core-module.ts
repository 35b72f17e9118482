/** The `@azure/functions-core` module that Azure's worker provides to `@azure/functions`, which is in no package. */
import Module from 'node:module';
import type { Log } from '../../ports/log.ts';

/** A value as it travels between host and worker; one property is set. */
export interface RpcData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly http?: RpcHttp;
}

/** A request on the way in (method, url, params, query), an answer on the way out (statusCode). */
export interface RpcHttp {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: RpcData | null;
  readonly statusCode?: string;
}

/** One trigger, input or output. Which properties there are depends on `type`; they come from the app. */
export interface Binding {
  readonly type: string;
  readonly direction: 'in' | 'out';
  readonly [option: string]: unknown;
}

export type FunctionCallback = (...words: unknown[]) => unknown;

export interface RegisteredFunction {
  readonly name: string;
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly callback: FunctionCallback;
  readonly model: ProgrammingModel;
}

export interface InvocationRequest {
  readonly invocationId: string;
  readonly inputData: readonly { readonly name: string; readonly data: RpcData }[];
  readonly triggerMetadata: Readonly<Record<string, RpcData>>;
}

/** What the library is told of one invocation. */
export interface InvocationStart {
  readonly invocationId: string;
  readonly request: InvocationRequest;
  readonly metadata: Pick<RegisteredFunction, 'name' | 'bindings'>;
  state?: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: string, category: string, message: string): void;
}

export interface InvocationModel {
  getArguments(): Promise<{ readonly context: unknown; readonly inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<{ readonly returnValue?: RpcData | null }>;
}

export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(start: InvocationStart): InvocationModel;
  /** `HttpUri` of the answer is where the library wants to be sent requests as streams. */
  getCapabilities?(known: Record<string, string>): Promise<Record<string, string>>;
}

export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation' | 'log';
export type Hook = (context: Record<string, unknown>) => unknown;

/** What one loading of an app registered. */
export interface Registrations {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: { readonly name: HookName; readonly run: Hook }[];
  readonly log: Log;
  model: ProgrammingModel | undefined;
}

export function newRegistrations(log: Log): Registrations {
  return { functions: new Map(), hooks: [], log, model: undefined };
}

const hookNames: readonly HookName[] = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'];

let current: Registrations | undefined;

/** From now on everything that an app registers goes here. One app is loaded at a time. */
export function registerInto(registrations: Registrations | undefined): void {
  current = registrations;
}

class Disposable {
  readonly #dispose: () => unknown;

  constructor(dispose: () => unknown) {
    this.#dispose = dispose;
  }

  static from(...disposables: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => disposables.forEach((one) => one.dispose()));
  }

  dispose(): unknown {
    return this.#dispose();
  }
}

/** Set by the first app of a process: the library calls setProgrammingModel only once in its life. */
let lastModel: ProgrammingModel | undefined;

const core = {
  version: '3.13.0',
  hostVersion: '4.1040.0',
  Disposable,
  setProgrammingModel(model: ProgrammingModel): void {
    lastModel = model;
    loading().model = model;
  },
  getProgrammingModel(): ProgrammingModel | undefined {
    return current?.model ?? lastModel;
  },
  registerFunction(metadata: Pick<RegisteredFunction, 'name' | 'bindings'>, callback: FunctionCallback) {
    const registrations = loading();
    const { name, bindings } = metadata;
    const model = registrations.model ?? lastModel;
    if (registrations.functions.has(name)) {
      throw new Error(`expected each function to have a name of its own, found "${name}" twice`);
    }
    if (model === undefined) {
      throw new Error(`expected a programming model before the function "${name}"`);
    }
    registrations.functions.set(name, { name, bindings, callback, model });
    return new Disposable(() => registrations.functions.delete(name));
  },
  registerHook(name: string, run: Hook): Disposable {
    const known = hookNames.find((one) => one === name);
    if (known === undefined) {
      throw new RangeError(`expected one of ${hookNames.join(', ')}, found the hook "${name}"`);
    }
    const { hooks } = loading();
    const hook = { name: known, run };
    hooks.push(hook);
    return new Disposable(() => hooks.splice(hooks.indexOf(hook), 1));
  },
  log(level: string, category: string, message: string): void {
    logAt(current?.log, level, 'functions-library', { category, message });
  },
};

let isInstalled = false;

/** Makes `require('@azure/functions-core')` answer with this module, as Azure's worker does. Does nothing twice. */
export function installCoreModule(): void {
  if (isInstalled) {
    return;
  }
  isInstalled = true;
  Module.prototype.require = new Proxy(Module.prototype.require, {
    apply: (target, self, words) =>
      words[0] === '@azure/functions-core' ? core : Reflect.apply(target, self, words),
  });
}

/** Writes a line at the level that the worker names; debug and trace are left out. */
export function logAt(
  log: Log | undefined,
  level: string,
  event: string,
  fields: Readonly<Record<string, string>>,
): void {
  if (level === 'error' || level === 'critical') {
    log?.error(event, fields);
  } else if (level === 'warning') {
    log?.warn(event, fields);
  } else if (level === 'information') {
    log?.info(event, fields);
  }
}

function loading(): Registrations {
  if (current === undefined) {
    throw new Error('expected functions and hooks to be registered while the app is loaded, found one later');
  }
  return current;
}
