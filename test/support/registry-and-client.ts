/** A registry on loopback, clients of it, and what a call throws, for the tests of the registry client. */
import type { Digest } from '../../shared/domain/digest.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import {
  createRegistryClient,
  type RegistryClient,
  type RegistryClientOptions,
} from '../../shared/image/registry-client.ts';
import {
  type OciRegistry,
  type OciRegistryOptions,
  type SeenRequest,
  startOciRegistry,
} from '../../shared/local/oci-registry.ts';

/** The repository that the tests push to and pull from. */
export const repository = 'team/app';

const retry = { attempts: 3, baseDelayMs: 1, maxDelayMs: 50 };
const open: { close(): Promise<void> | void }[] = [];

/** Closes what the test opened, newest first. Call it after each test. */
export async function closeAll(): Promise<void> {
  for (const one of open.splice(0).reverse()) await one.close();
}

/** Closes it with everything else. */
export function closeLater(one: { close(): Promise<void> | void }): void {
  open.push(one);
}

export async function start(
  options: OciRegistryOptions = {},
): Promise<{ registry: OciRegistry; seen: SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const registry = await startOciRegistry({ ...options, onRequest: (request) => seen.push(request) });
  closeLater(registry);
  return { registry, seen };
}

export function clientOf(options: Partial<RegistryClientOptions> = {}): RegistryClient {
  const client = createRegistryClient({
    registries: [],
    allowLoopback: true,
    credentials: async () => ({ kind: 'anonymous' }),
    retry,
    idleTimeoutMs: 2_000,
    ...options,
  });
  closeLater(client);
  return client;
}

export function at(registry: OciRegistry) {
  return { registry: registry.host, repository };
}

/** Code of the PlimsollError that the work throws; `no error` where it throws none. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PlimsollError) return error.code;
    throw error;
  }
  return 'no error';
}

export async function read(client: RegistryClient, registry: OciRegistry, digest: Digest): Promise<Buffer> {
  const blob = await client.openBlob(at(registry), digest);
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob?.bytes ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}
