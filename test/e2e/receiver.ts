/** A team's receiver on loopback: takes signed webhooks and verifies them as its README tells, with the scheme's library. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

const messageSchema = z.object({
  type: z.string(),
  data: z.object({
    images: z
      .array(
        z.object({
          place: z.object({ registry: z.string(), repository: z.string() }),
          digest: z.string(),
          tag: z.string().nullable(),
          decision: z.object({ before: z.string().nullable(), after: z.string() }),
          changes: z.array(z.object({ id: z.string(), kind: z.string(), advisory: z.string().nullable() })),
        }),
      )
      .optional(),
  }),
});

export interface Received {
  readonly deliveryId: string;
  readonly message: z.infer<typeof messageSchema>;
}

export interface Receiver {
  readonly url: string;
  /** Messages whose signature was right, in order. */
  readonly received: readonly Received[];
  /** What was wrong with others. */
  readonly refused: readonly string[];
  stop(): void;
}

export async function startReceiver(secret: () => string): Promise<Receiver> {
  const received: Received[] = [];
  const refused: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      try {
        const headers = Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
        );
        const message = messageSchema.parse(new Webhook(secret()).verify(body, headers));
        received.push({ deliveryId: String(request.headers['webhook-id']), message });
        response.writeHead(204).end();
      } catch (error) {
        refused.push(String(error));
        response.writeHead(400).end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    refused,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
