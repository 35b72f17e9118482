/** Where the library takes HTTP requests as streams, if the app asked for that. */
import { Server } from 'node:net';
import type { ProgrammingModel } from './core-module.ts';

/** The library starts its listener once in its life. */
const known = new WeakMap<ProgrammingModel, Promise<Record<string, string>>>();

/** Address of the library's own listener, on this machine alone; undefined where the app takes bodies whole. */
export async function findStreamUrl(model: ProgrammingModel | undefined): Promise<string | undefined> {
  if (model?.getCapabilities === undefined) {
    return undefined;
  }
  const asked = known.get(model) ?? askForCapabilities(model);
  known.set(model, asked);
  return (await asked)['HttpUri']?.replace('//localhost', '//127.0.0.1');
}

function askForCapabilities(model: ProgrammingModel): Promise<Record<string, string>> {
  return onLoopback(async () => (await model.getCapabilities?.({})) ?? {});
}

/** Runs the action, and whatever it opens before its first pause listens to this machine only: left alone, the library
 *  listens on every network. */
function onLoopback<T>(action: () => T): T {
  const listen = Server.prototype.listen;
  Server.prototype.listen = function listenOnLoopback(this: Server, ...words: unknown[]): Server {
    const callback = words.filter((word) => typeof word === 'function');
    return Reflect.apply(listen, this, [{ host: '127.0.0.1', port: 0 }, ...callback]);
  };
  try {
    return action();
  } finally {
    Server.prototype.listen = listen;
  }
}
