import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';

describe('the network of a test', () => {
  it('reaches no other machine', async () => {
    // 192.0.2.0/24 is kept for documentation (RFC 5737), so that nothing is disturbed if the rule fails.
    await expect(fetch('http://192.0.2.1:8080/', { signal: AbortSignal.timeout(2_000) })).rejects.toThrow(
      expect.objectContaining({
        cause: expect.objectContaining({ message: expect.stringContaining('loopback only') }),
      }),
    );
  });

  it('reaches this machine', async () => {
    const server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect(await answer.text()).toBe('here');
    server.close();
  });
});
