/** Loads a Functions app, from its sources or as it was built, and returns what its files registered. */
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { PlimsollError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import { installCoreModule, newRegistrations, type Registrations, registerInto } from './core-module.ts';

const packageSchema = z.object({ main: z.string() });

/** What each file registered when it was first imported: Node runs a module once in a process. */
const loaded = new Map<string, Registrations>();

/** Absolute paths that the `main` of an app's package.json names, sorted. Throws INVALID_SETTING where it names none. */
export async function findAppFiles(appDir: string): Promise<readonly string[]> {
  const { main } = packageSchema.parse(JSON.parse(await readFile(join(appDir, 'package.json'), 'utf8')));
  const files = globSync(main, { cwd: appDir }).sort();
  if (files.length === 0) {
    throw new PlimsollError(
      'INVALID_SETTING',
      `expected files at ${main} in ${appDir} (main of its package.json), found none: build the app first`,
    );
  }
  return files.map((file) => join(appDir, file));
}

/**
 * Imports the files one after the other. Throws INVALID_SETTING where one does not load or two functions share a name:
 * on Azure such an app has no functions at all.
 */
export async function loadApp(files: readonly string[], log: Log): Promise<Registrations> {
  installCoreModule();
  const app = newRegistrations(log);
  for (const file of files) {
    const { functions, hooks, model } = await loadFile(file, log);
    app.model = model ?? app.model;
    app.hooks.push(...hooks);
    for (const one of functions.values()) {
      if (app.functions.has(one.name)) {
        throw new PlimsollError(
          'INVALID_SETTING',
          `expected function names to differ, found ${one.name} twice`,
        );
      }
      app.functions.set(one.name, one);
    }
  }
  return app;
}

async function loadFile(file: string, log: Log): Promise<Registrations> {
  const url = pathToFileURL(file).href;
  const known = loaded.get(url);
  if (known !== undefined) {
    return known;
  }
  const registrations = newRegistrations(log);
  registerInto(registrations);
  try {
    await import(url);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new PlimsollError('INVALID_SETTING', `expected ${file} to load, found: ${message}`, {
      cause: error,
    });
  } finally {
    registerInto(undefined);
  }
  loaded.set(url, registrations);
  return registrations;
}
