/** Listening on a loopback port and closing without waiting for idle clients. */
import type { Server } from 'node:net';

/** Resolves with the port once it listens on 127.0.0.1 (0: any free one). Rejects with Node's error, EADDRINUSE say. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** Stops taking requests and resolves once those in flight are answered; connections that idle are cut. */
export function closeServer(server: Server & { closeIdleConnections(): void }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
