/** Storage queues and blobs on this machine: Azurite with Entra tokens over TLS. */
import { mkdir } from 'node:fs/promises';
import type { PlimsollError } from '../../domain/errors.ts';
import type { LocalCertificate } from './certificate.ts';
import { type Child, startChild } from './child-process.ts';

/** Azurite's fixed account. */
const account = 'devstoreaccount1';

export interface Azurite {
  readonly queueServiceUri: string;
  readonly blobServiceUri: string;
  readonly child: Child;
}

/**
 * Starts it on the given ports (0: any free one) with its data in a folder. Stop it only by `child.stop()`: killed, it
 * loses messages that it has acknowledged. Throws SERVER_UNREACHABLE.
 */
export async function startAzurite(options: {
  readonly folder: string;
  readonly certificate: LocalCertificate;
  readonly blobPort?: number;
  readonly queuePort?: number;
  readonly onUnexpectedEnd?: (error: PlimsollError) => void;
}): Promise<Azurite> {
  await mkdir(options.folder, { recursive: true });
  const found: Record<string, number> = {};
  const child = await startChild({
    name: 'Azurite',
    entry: new URL('azurite-entry.ts', import.meta.url),
    args: [
      ...['--location', options.folder, '--silent', '--disableTelemetry', '--oauth', 'basic'],
      // The blob SDK may be newer than the newest version that Azurite knows.
      '--skipApiVersionCheck',
      ...['--cert', options.certificate.certificatePath, '--key', options.certificate.keyPath],
      ...['--blobPort', String(options.blobPort ?? 0), '--queuePort', String(options.queuePort ?? 0)],
      // It starts tables too; nobody asks them.
      ...['--tablePort', '0'],
    ],
    readLine(line) {
      const listening =
        /^Azurite (Blob|Queue|Table) service is successfully listening at https:\/\/[^:]+:(\d+)/.exec(line);
      if (listening?.[1] !== undefined) found[listening[1].toLowerCase()] = Number(listening[2]);
      // Its handlers for stopping are set after the last server listens.
      return found['table'] === undefined ? undefined : found;
    },
    ...(options.onUnexpectedEnd === undefined ? {} : { onUnexpectedEnd: options.onUnexpectedEnd }),
  });
  return {
    queueServiceUri: `https://127.0.0.1:${child.ports['queue']}/${account}`,
    blobServiceUri: `https://127.0.0.1:${child.ports['blob']}/${account}`,
    child,
  };
}
