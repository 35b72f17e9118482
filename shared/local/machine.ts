/** One machine with everything: emulators, the app in its runner, a registry that tells the app of pushes. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createIdentity } from '../azure/identity.ts';
import { loopbackWebhookTokenSecret } from '../azure/registries-setting.ts';
import { PlimsollError } from '../domain/errors.ts';
import { subscriptionSecretPrefix } from '../domain/subscription.ts';
import { safeText } from '../reports/safe-text.ts';
import { type Emulators, startEmulators } from './emulators/emulators.ts';
import { type OciRegistry, startOciRegistry } from './oci-registry.ts';
import { type Runner, startRunner } from './runner/runner.ts';
import { createStorageQueueSource } from './runner/storage-queue-source.ts';
import { writeSampleAdvisories } from './sample/sample-advisories.ts';
import type { StartOptions } from './start-options.ts';
import { createStepLog } from './step-lines.ts';

export interface Machine {
  /** `http://127.0.0.1:7071/api`. */
  readonly apiUrl: string;
  /** `http://127.0.0.1:7072`. */
  readonly registryUrl: string;
  /** `127.0.0.1:7072`. */
  readonly registryHost: string;
  readonly webhookToken: string;
  /** Signs what subscriptions whose `secretName` is `localSubscriptionSecret` are told: `whsec_` and base64. */
  readonly subscriptionSecret: string;
  readonly dataDir: string;
  readonly runner: Runner;
  /** Stops the registry, then the app, then the emulators. Safe to call twice. */
  stop(): Promise<void>;
}

export interface MachineOutput {
  say(line: string): void;
  /** Told when an emulator ended although nobody stopped it. */
  fail(error: unknown): void;
}

/** Name of the secret that every machine has for its subscriptions. */
export const localSubscriptionSecret = `${subscriptionSecretPrefix}local`;

const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Starts everything and syncs the advisories. The settings go into this process's environment, where the app reads them
 * as on Azure. Throws PlimsollError in one line for a taken port, a folder in use, a feed that can't be read.
 */
export async function createReadyMachine(options: StartOptions, output: MachineOutput): Promise<Machine> {
  const dataDir = resolve(options.dataDir);
  const started: { stop(): Promise<unknown> }[] = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stopAll(started);
    return stopping;
  };
  try {
    const emulators = await startEmulators({ dataDir, onUnexpectedEnd: (error) => output.fail(error) });
    started.push(emulators);
    const webhookToken = await keepSecret(emulators, {
      name: loopbackWebhookTokenSecret,
      file: join(dataDir, 'webhook-token'),
      value: options.webhookToken,
      make: () => randomBytes(24).toString('base64url'),
    });
    const subscriptionSecret = await keepSecret(emulators, {
      name: localSubscriptionSecret,
      file: join(dataDir, 'subscription-secret'),
      value: undefined,
      make: () => `whsec_${randomBytes(32).toString('base64')}`,
    });
    const advisories = options.advisories ?? join(dataDir, 'sample-advisories');
    if (options.advisories === undefined) await writeSampleAdvisories(advisories, new Date());
    Object.assign(process.env, emulators.env, {
      PLIMSOLL_ADVISORIES_URL: advisories,
      ...(options.cveList === undefined ? {} : { PLIMSOLL_CVE_LIST_URL: options.cveList }),
      WEBSITE_HOSTNAME: `127.0.0.1:${options.port}`,
    });
    const runner = await startApp(options, emulators, output);
    started.push(runner);
    const registry = await startRegistry(options, dataDir, runner, webhookToken);
    started.push({ stop: () => registry.close() });
    await syncAdvisories(runner, dataDir, advisories, output);
    return {
      apiUrl: `${runner.url}/api`,
      registryUrl: registry.url,
      registryHost: registry.host,
      webhookToken,
      subscriptionSecret,
      dataDir,
      runner,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Newest first: what tells is stopped before what it tells, and stores go last. */
async function stopAll(started: readonly { stop(): Promise<unknown> }[]): Promise<void> {
  for (const part of started.toReversed()) await part.stop();
}

async function startApp(options: StartOptions, emulators: Emulators, output: MachineOutput): Promise<Runner> {
  const appDir = options.app === undefined ? repositoryRoot : resolve(options.app);
  return startRunner({
    appDir,
    ...(options.app === undefined ? { files: await sourceFiles() } : {}),
    port: options.port,
    queues: createStorageQueueSource(
      emulators.env['PLIMSOLL_QUEUE_SERVICE_URI'] ?? '',
      createIdentity(emulators.env['PLIMSOLL_IDENTITY_CLIENT_ID']),
    ),
    log: createStepLog(output.say),
  });
}

/** The triggers' sources; files that begin with an underscore are parts of them. */
async function sourceFiles(): Promise<readonly string[]> {
  const folder = join(repositoryRoot, 'functions');
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith('.ts') && !name.startsWith('_'))
    .map((name) => join(folder, name));
}

function startRegistry(
  options: StartOptions,
  dataDir: string,
  runner: Runner,
  webhookToken: string,
): Promise<OciRegistry> {
  return startOciRegistry({
    port: options.port + 1,
    dataDir: join(dataDir, 'registry'),
    notifications: {
      url: `${runner.url}/api/webhooks/distribution`,
      authorization: `Bearer ${webhookToken}`,
      ignoredActions: ['pull'],
    },
  });
}

/** A feed that can't be read ends the start, unless an earlier start has read it: then what was read is still good. */
async function syncAdvisories(
  runner: Runner,
  dataDir: string,
  feed: string,
  output: MachineOutput,
): Promise<void> {
  const lastFeed = join(dataDir, 'advisories-feed');
  try {
    await runner.fireTimer('sync-advisories');
    await writeFile(lastFeed, feed);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ((await readIfThere(lastFeed)) !== feed) {
      // The app may be a built one, whose error class is its own.
      throw new PlimsollError('ADVISORIES_UNREACHABLE', error.message, { cause: error });
    }
    output.say(`  !       advisories of the last start stay in force: ${safeText(error.message)}`);
  }
}

/** The secret of the last start unless another is given, so that registries and receivers need not be told anew. */
async function keepSecret(
  emulators: Emulators,
  secret: {
    readonly name: string;
    readonly file: string;
    readonly value: string | undefined;
    make(): string;
  },
): Promise<string> {
  const value = secret.value ?? (await readIfThere(secret.file)) ?? secret.make();
  await writeFile(secret.file, value, { mode: 0o600 });
  await emulators.setSecret(secret.name, value);
  return value;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim() || undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
