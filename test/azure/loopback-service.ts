/** A TLS server on loopback that plays a service of Azure in a test, with a certificate that this process trusts. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenCredential } from '@azure/identity';
import { ensureCertificate, trustCertificate } from '../../shared/local/emulators/certificate.ts';
import { listen } from '../../shared/local/emulators/server.ts';

export interface LoopbackService {
  readonly uri: string;
  /** What it answers from now on; without one it takes requests and never answers. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  requests(): number;
  stop(): Promise<void>;
}

export async function startLoopbackService(): Promise<LoopbackService> {
  const folder = await mkdtemp(join(tmpdir(), 'plimsoll-service-'));
  const certificate = await ensureCertificate(folder, new Date());
  trustCertificate(certificate.certificatePem);
  let requests = 0;
  const service: Omit<LoopbackService, 'uri'> = {
    answer: undefined,
    requests: () => requests,
    async stop() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const key = await readFile(certificate.keyPath);
  const server = createServer({ cert: certificate.certificatePem, key }, (request, response) => {
    requests += 1;
    service.answer?.(request, response);
  });
  const port = await listen(server, 0);
  return Object.assign(service, { uri: `https://127.0.0.1:${port}` });
}

/** A token that must never be seen anywhere but in a request. */
export const testToken = 'eyJhbGciOiJub25lIn0.very-secret-token.x';

export const testCredential: TokenCredential = {
  getToken: async () => ({ token: testToken, expiresOnTimestamp: Date.now() + 3_600_000 }),
};
