/** Process of bench/webhook.ts: sends push notifications at a fixed rate whether they are answered or not (an open loop:
 *  a slow answer delays no other, and the wait counts from the moment at which it was due). */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What it is asked for, as JSON in its first argument. */
export interface LoadOrder {
  readonly url: string;
  readonly token: string;
  readonly registryHost: string;
  readonly ratePerSecond: number;
  readonly seconds: number;
}

/** What it writes to its standard output as JSON. */
export interface LoadResult {
  /** Number of answers by status; `failed` for none. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Of each answer in order of sending, in milliseconds from when it was due. */
  readonly latenciesMs: readonly number[];
  /** Worst delay of a send behind its moment: if it is large, the generator was too slow, not the webhook. */
  readonly latestSendMs: number;
}

const order = JSON.parse(process.argv[2] ?? '{}') as LoadOrder;
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
process.stdout.write(JSON.stringify(await run(order)));
agent.destroy();

async function run({ ratePerSecond, seconds }: LoadOrder): Promise<LoadResult> {
  const statuses: Record<string, number> = {};
  const latenciesMs: number[] = [];
  const answers: Promise<void>[] = [];
  let latestSendMs = 0;
  const startedAtMs = performance.now();
  for (let index = 0; index < ratePerSecond * seconds; index += 1) {
    const dueMs = startedAtMs + (index * 1000) / ratePerSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    latestSendMs = Math.max(latestSendMs, performance.now() - dueMs);
    answers.push(
      send(bodyOf(index)).then((status) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        latenciesMs[index] = performance.now() - dueMs;
      }),
    );
  }
  await Promise.all(answers);
  return { statuses, latenciesMs, latestSendMs };
}

async function send(body: string): Promise<string> {
  const sent = request(order.url, {
    agent,
    method: 'POST',
    headers: {
      authorization: `Bearer ${order.token}`,
      'content-type': 'application/vnd.docker.distribution.events.v2+json',
      'content-length': Buffer.byteLength(body),
    },
  });
  sent.end(body);
  try {
    const [response] = await once(sent, 'response');
    response.resume();
    await once(response, 'end');
    return String(response.statusCode);
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** A manifest push as Debian's docker-registry 2.8 sends it, each of another digest. */
function bodyOf(index: number): string {
  const digest = `sha256:${`${process.pid}.${index}`.replace('.', 'a').padStart(64, '0')}`;
  const repository = `team-${index % 50}/app`;
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  return JSON.stringify({
    events: [
      {
        id: `3f1f5b5a-0c8e-4f4e-9d43-${String(index).padStart(12, '0')}`,
        timestamp: '2026-11-24T11:02:13.123456789Z',
        action: 'push',
        target: {
          mediaType,
          size: 1_163,
          digest,
          length: 1_163,
          repository,
          url: `http://${order.registryHost}/v2/${repository}/manifests/${digest}`,
          tag: 'v1',
        },
        request: {
          id: 'a5a6c5f7-6c3c-4b5a-a1a0-5a6b1f1f7f7e',
          addr: '127.0.0.1:40000',
          host: order.registryHost,
          method: 'PUT',
          useragent: 'containers/5.24.1 (github.com/containers/image)',
        },
        actor: {},
        source: { addr: 'registry:5000', instanceID: '0c8d6a4a-6a77-44bc-ac5b-60b0d2eab0d2' },
      },
    ],
  });
}
