/** Credentials of the Docker configuration, for the command line (docker/cli config.json; docker-credential-helpers). */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PlimsollError } from '../domain/errors.ts';
import type { CredentialsFor, RegistryCredentials } from './registry-auth.ts';

/** How long a credential helper may take; some ask a cloud, none should ask a person. */
export const helperTimeoutMs = 30_000;
const maxConfigFileBytes = 1024 * 1024;
const maxHelperOutputBytes = 64 * 1024;

export interface DockerConfigOptions {
  /** Folder of config.json: $DOCKER_CONFIG, else ~/.docker. Where there is no such file, everything is anonymous. */
  readonly folder: string;
  readonly helperTimeoutMs?: number;
}

/**
 * Reads config.json at the first use. A helper of the host comes first, then the store, then `auths`.
 * Throws INVALID_SETTING where the file or a helper can't be used; a helper that knows nothing of the host is no error.
 */
export function dockerCredentials(options: DockerConfigOptions): CredentialsFor {
  let config: Promise<DockerConfig> | undefined;
  return async (endpoint) => {
    config ??= readConfig(options.folder);
    return findCredentials(await config, endpoint.host, options.helperTimeoutMs ?? helperTimeoutMs);
  };
}

const authEntry = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const helperName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a helper is named by a plain word');
const configFile = z.object({
  auths: z.record(z.string(), authEntry).nullish(),
  credHelpers: z.record(z.string(), helperName).nullish(),
  credsStore: z.union([helperName, z.literal('')]).nullish(),
});
type DockerConfig = z.infer<typeof configFile>;

const helperAnswer = z.object({ Username: z.string(), Secret: z.string() });

/** Docker Hub's entry has had this name since the first version of its API. */
const dockerHubKey = 'https://index.docker.io/v1/';
const dockerHubHosts: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

async function readConfig(folder: string): Promise<DockerConfig> {
  const path = join(folder, 'config.json');
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new PlimsollError('INVALID_SETTING', `${path}: can't be read (${String(code)})`, { cause });
  }
  if (bytes.byteLength > maxConfigFileBytes) throw new PlimsollError('INVALID_SETTING', `${path}: too large`);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    // The cause quotes the file, which holds passwords.
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PlimsollError('INVALID_SETTING', `${path}: expected JSON; sign in again with "docker login"`);
  }
  const parsed = configFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new PlimsollError('INVALID_SETTING', `${path}: "${where}" has an unexpected form`);
}

async function findCredentials(
  config: DockerConfig,
  host: string,
  timeoutMs: number,
): Promise<RegistryCredentials> {
  const isHub = dockerHubHosts.has(host);
  const serverAddress = isHub ? dockerHubKey : host;
  const own = Object.entries(config.credHelpers ?? {}).find(([key]) => isSameHost(key, host, isHub));
  for (const helper of [own?.[1], config.credsStore]) {
    if (helper === undefined || helper === null || helper === '') continue;
    const found = await askHelper(helper, serverAddress, timeoutMs);
    if (found !== undefined) return found;
  }
  const entry = Object.entries(config.auths ?? {}).find(([key]) => isSameHost(key, host, isHub))?.[1];
  return entry === undefined ? { kind: 'anonymous' } : fromEntry(entry, host);
}

/** Keys are hosts or, from older versions, addresses with a scheme and a path. */
function isSameHost(key: string, host: string, isHub: boolean): boolean {
  const keyHost = (key.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '').toLowerCase();
  return keyHost === host.toLowerCase() || (isHub && dockerHubHosts.has(keyHost));
}

function fromEntry(entry: z.infer<typeof authEntry>, host: string): RegistryCredentials {
  if (entry.identitytoken) return { kind: 'refresh-token', refreshToken: entry.identitytoken };
  if (entry.auth) {
    const text = Buffer.from(entry.auth, 'base64').toString('utf8').replace(/\0+$/, '');
    const colon = text.indexOf(':');
    if (colon < 0) {
      throw new PlimsollError(
        'INVALID_SETTING',
        `Docker configuration, auths of ${host}: expected user:password in base64; sign in again with "docker login ${host}"`,
      );
    }
    return { kind: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  if (entry.username) return { kind: 'basic', user: entry.username, password: entry.password ?? '' };
  return { kind: 'anonymous' };
}

/** Runs `docker-credential-NAME get` with the address on its input. Undefined where it has none for this address. */
async function askHelper(
  helper: string,
  serverAddress: string,
  timeoutMs: number,
): Promise<RegistryCredentials | undefined> {
  const program = `docker-credential-${helper}`;
  const { status, output } = await run(program, serverAddress, timeoutMs);
  if (status !== 0) {
    // The helpers' own words for "nothing stored", which is the only way they have to say it.
    if (/credentials not found/i.test(output)) return undefined;
    throw helperFailed(program, `failed for ${serverAddress}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  const parsed = helperAnswer.safeParse(json);
  if (!parsed.success) throw helperFailed(program, 'answered with something else than Username and Secret');
  const { Username: user, Secret: secret } = parsed.data;
  if (user === '<token>') return { kind: 'refresh-token', refreshToken: secret };
  return user === '' && secret === '' ? undefined : { kind: 'basic', user, password: secret };
}

function run(
  program: string,
  input: string,
  timeoutMs: number,
): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size > maxHelperOutputBytes) child.kill('SIGKILL');
      else chunks.push(chunk);
    });
    // A helper that ends without reading its input is told by its exit status.
    child.stdin.on('error', () => {});
    child.on('error', (cause) => reject(helperFailed(program, `can't be run (${cause.message})`, cause)));
    child.on('close', (status) => resolve({ status, output: Buffer.concat(chunks).toString('utf8') }));
    child.stdin.end(input);
  });
}

function helperFailed(program: string, what: string, cause?: unknown): PlimsollError {
  return new PlimsollError(
    'INVALID_SETTING',
    `${program}, which the Docker configuration names, ${what}; check it with "docker login"`,
    cause === undefined ? {} : { cause },
  );
}
