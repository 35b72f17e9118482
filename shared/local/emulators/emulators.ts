/** Everything that stands in for Azure on one machine, started together and stopped together. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDocumentContainers } from '../../azure/cosmos-documents.ts';
import { ensureBlobContainers } from '../../azure/storage-blobs.ts';
import { ensureQueues } from '../../azure/storage-queues.ts';
import { PlimsollError } from '../../domain/errors.ts';
import { systemClock } from '../../ports/clock.ts';
import { type Azurite, startAzurite } from './azurite.ts';
import { ensureCertificate, type LocalCertificate, trustCertificate } from './certificate.ts';
import { type Child, readReadyLine, startChild } from './child-process.ts';
import { lockDataFolder } from './data-lock.ts';
import { issueToken, localClientId } from './tokens.ts';

export interface EmulatorPorts {
  readonly blob?: number;
  readonly queue?: number;
  readonly documents?: number;
  readonly identity?: number;
  readonly vault?: number;
}

export interface EmulatorOptions {
  /** Everything is kept here and found again at the next start. Made if it is missing. */
  readonly dataDir: string;
  /** Any free port where none is named. */
  readonly ports?: EmulatorPorts;
  /** Told when an emulator ends although nobody stopped it: without it nothing goes on. */
  readonly onUnexpectedEnd?: (error: PlimsollError) => void;
}

export interface Emulators {
  /** Settings of the app: give them to its process. NODE_EXTRA_CA_CERTS makes a new process trust the certificate; this
   *  process trusts it already. */
  readonly env: Readonly<Record<string, string>>;
  readonly certificatePem: string;
  /** Writes a secret into the vault's stand-in. Throws SECRET_UNAVAILABLE. */
  setSecret(name: string, value: string, attributes?: { enabled?: boolean; exp?: number }): Promise<void>;
  /** Waits until each has saved what it holds. Safe to call twice. Stop the app first. */
  stop(): Promise<void>;
}

/** Name of the database of one machine. */
const database = 'plimsoll';

/**
 * Starts Azurite, the document emulator and the stand-in for identity and vault at the same time, each in a process of
 * its own that goes when this one goes, and makes the queues, containers and the database where they are missing.
 * Throws SERVER_UNREACHABLE with the cause, INVALID_SETTING where the folder can't be made, CONFLICT where another process
 * has it; nothing is left running then.
 */
export async function startEmulators(options: EmulatorOptions): Promise<Emulators> {
  const { dataDir, ports = {} } = options;
  await makeDataFolder(dataDir);
  const lock = await lockDataFolder(dataDir);
  const certificate = await ensureCertificate(dataDir, new Date());
  trustCertificate(certificate.certificatePem);
  const identityHeader = randomBytes(24).toString('hex');
  const ended = options.onUnexpectedEnd === undefined ? {} : { onUnexpectedEnd: options.onUnexpectedEnd };
  const tls = ['--certificate', certificate.certificatePath, '--key', certificate.keyPath];

  const starts = await Promise.allSettled([
    startAzurite({
      folder: join(dataDir, 'storage'),
      certificate,
      blobPort: ports.blob ?? 0,
      queuePort: ports.queue ?? 0,
      ...ended,
    }),
    startChild({
      name: 'the document emulator',
      entry: new URL('document-emulator.ts', import.meta.url),
      args: ['--port', String(ports.documents ?? 0), '--folder', join(dataDir, 'documents'), ...tls],
      readLine: readReadyLine,
      ...ended,
    }),
    startChild({
      name: 'the stand-in for identity and vault',
      entry: new URL('identity-and-vault.ts', import.meta.url),
      args: [
        ...['--identity-port', String(ports.identity ?? 0), '--vault-port', String(ports.vault ?? 0)],
        ...['--folder', join(dataDir, 'vault'), ...tls],
      ],
      env: { PLIMSOLL_LOCAL_IDENTITY_HEADER: identityHeader },
      readLine: readReadyLine,
      ...ended,
    }),
  ]);
  const [azurite, documents, identity] = starts;
  const children = starts.flatMap((start) => (start.status === 'fulfilled' ? [childOf(start.value)] : []));
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= Promise.all(children.map((child) => child.stop())).then(() => lock.release());
    return stopping;
  };
  try {
    await lock.name(children.map((child) => child.pid));
    if (azurite.status === 'rejected') throw azurite.reason;
    if (documents.status === 'rejected') throw documents.reason;
    if (identity.status === 'rejected') throw identity.reason;
    const env = settingsOf(certificate, azurite.value, documents.value, identity.value, identityHeader);
    await ensureStores(env);
    const vaultUri = env['PLIMSOLL_KEY_VAULT_URI'] ?? '';
    return {
      env,
      certificatePem: certificate.certificatePem,
      setSecret: (name, value, attributes) => setSecret(vaultUri, name, value, attributes),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeDataFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new PlimsollError(
      'INVALID_SETTING',
      `expected ${dataDir} to be a folder or to be made as one, found ${String(error.code)}: name another with --data`,
      { cause: error },
    );
  }
}

function childOf(started: Azurite | Child): Child {
  return 'child' in started ? started.child : started;
}

function settingsOf(
  certificate: LocalCertificate,
  azurite: Azurite,
  documents: Child,
  identity: Child,
  identityHeader: string,
): Record<string, string> {
  return {
    PLIMSOLL_QUEUE_SERVICE_URI: azurite.queueServiceUri,
    PLIMSOLL_BLOB_SERVICE_URI: azurite.blobServiceUri,
    PLIMSOLL_COSMOS_ENDPOINT: `https://127.0.0.1:${documents.ports['documents']}`,
    PLIMSOLL_COSMOS_DATABASE: database,
    PLIMSOLL_KEY_VAULT_URI: `https://127.0.0.1:${identity.ports['vault']}`,
    PLIMSOLL_IDENTITY_CLIENT_ID: localClientId,
    PLIMSOLL_ALLOW_LOOPBACK: 'true',
    IDENTITY_ENDPOINT: `http://127.0.0.1:${identity.ports['identity']}/msi/token`,
    IDENTITY_HEADER: identityHeader,
    NODE_EXTRA_CA_CERTS: certificate.certificatePath,
  };
}

async function ensureStores(env: Readonly<Record<string, string>>): Promise<void> {
  // This process has no identity of its own in its environment; the emulators take the token all the same.
  const credential = {
    async getToken(scopes: string | string[]) {
      const resource = String(Array.isArray(scopes) ? scopes[0] : scopes).replace(/\/\.default$/, '');
      const { accessToken, expiresOn } = issueToken(resource, new Date());
      return { token: accessToken, expiresOnTimestamp: expiresOn * 1000 };
    },
  };
  await Promise.all([
    ensureQueues({ serviceUri: env['PLIMSOLL_QUEUE_SERVICE_URI'] ?? '', credential }),
    ensureBlobContainers({ serviceUri: env['PLIMSOLL_BLOB_SERVICE_URI'] ?? '', credential }),
    ensureDocumentContainers({
      endpoint: env['PLIMSOLL_COSMOS_ENDPOINT'] ?? '',
      database,
      credential,
      clock: systemClock,
    }),
  ]);
}

async function setSecret(
  vaultUri: string,
  name: string,
  value: string,
  attributes: { enabled?: boolean; exp?: number } = {},
): Promise<void> {
  const { accessToken } = issueToken('https://vault.azure.net', new Date());
  const answer = await fetch(`${vaultUri}/secrets/${encodeURIComponent(name)}?api-version=2025-07-01`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ value, attributes }),
  });
  if (!answer.ok) {
    const message = `setting secret ${name} was answered with ${answer.status}: use 0-9 a-z A-Z - and at most 25 KB`;
    throw new PlimsollError('SECRET_UNAVAILABLE', message);
  }
}
