/** A world for the pipeline's tests: in-memory stores, a real registry on loopback, a receiver that keeps what it gets. */
import { randomUUID } from 'node:crypto';
import type { Cataloger } from '../../shared/catalogers/contract.ts';
import { catalogers } from '../../shared/catalogers/registry.ts';
import type { Subscription } from '../../shared/domain/subscription.ts';
import { createRegistryClient } from '../../shared/image/registry-client.ts';
import { type OciRegistry, startOciRegistry } from '../../shared/local/oci-registry.ts';
import { type AdvisoryFeed } from '../../shared/pipeline/advisory-feed.ts';
import { newCaches, type PipelineContext } from '../../shared/pipeline/context.ts';
import { createLayerSlots } from '../../shared/pipeline/layer-slots.ts';
import { type ImageEvent, newEnvelope } from '../../shared/pipeline/messages.ts';
import { recordFailure } from '../../shared/pipeline/record-failure.ts';
import { subscriptionKey } from '../../shared/pipeline/state/config.ts';
import { handleMessage, type StepQueue } from '../../shared/pipeline/steps.ts';
import { defaultTimings, type Timings } from '../../shared/pipeline/timings.ts';
import { type QueueName, queueNames } from '../../shared/ports/queue.ts';
import type { OutgoingAnswer, OutgoingRequest, Sender } from '../../shared/ports/sender.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { createMemoryWorld, type MemoryWorld } from '../support/memory-ports.ts';
import type { QueueOrder } from '../support/memory-queues.ts';

/** Name and value of the secret that signs notifications. */
export const signingSecret = { name: 'subscription-test', value: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };

/** More messages than any test handles: a loop that never ends fails instead. */
const maxMessages = 20_000;

export interface WorldOptions {
  readonly order?: QueueOrder;
  readonly staleMs?: number;
  readonly timings?: Partial<Timings>;
  readonly feed?: AdvisoryFeed;
  readonly catalogers?: readonly Cataloger[];
  /** How the receiver answers; 204 where absent. */
  readonly answer?: (request: OutgoingRequest) => Promise<OutgoingAnswer> | OutgoingAnswer;
}

export interface World {
  readonly registry: OciRegistry;
  readonly memory: MemoryWorld;
  readonly clock: ManualClock;
  /** The first instance. */
  readonly context: PipelineContext;
  /** What the receiver got, in order. */
  readonly received: OutgoingRequest[];
  /** Requests to the registry as `METHOD path`. */
  readonly registryRequests: string[];
  /** Another instance over the same stores. */
  instance(overrides?: Partial<PipelineContext>): PipelineContext;
  subscribe(subscription?: Partial<Subscription>): Promise<Subscription>;
  /** Tells of a push as a webhook would. */
  tellPush(repository: string, tag: string | undefined, digest: string | undefined): Promise<void>;
  tellDelete(repository: string, what: { tag?: string; digest?: string }): Promise<void>;
  /** Works until no message waits before `untilMs` from now, moving the clock. */
  settle(options?: {
    readonly withinMs?: number;
    readonly instances?: readonly PipelineContext[];
  }): Promise<void>;
  /** Moves everything on the poison queues through their step. */
  drainPoison(instance?: PipelineContext): Promise<void>;
  close(): Promise<void>;
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const clock = createManualClock();
  const registryRequests: string[] = [];
  const registry = await startOciRegistry({
    onRequest: (request) => registryRequests.push(`${request.method} ${request.path}`),
  });
  const received: OutgoingRequest[] = [];
  const sender: Sender = {
    async post(request) {
      received.push(request);
      return (await options.answer?.(request)) ?? { status: 204 };
    },
  };
  const registries = createRegistryClient({
    registries: [],
    allowLoopback: true,
    credentials: async () => ({ kind: 'anonymous' }),
    retry: { attempts: 1, baseDelayMs: 1, maxDelayMs: 1 },
  });
  const memory = createMemoryWorld({
    clock,
    registries,
    sender,
    secrets: { [signingSecret.name]: signingSecret.value },
    staleMs: options.staleMs ?? 0,
    ...(options.order === undefined ? {} : { order: options.order }),
  });
  const instance = (overrides: Partial<PipelineContext> = {}): PipelineContext => ({
    ports: memory.instance(),
    timings: { ...defaultTimings, ...options.timings },
    registries: { registries: [], loopback: { environment: 'test', auth: { kind: 'anonymous' } } },
    catalogers: options.catalogers ?? catalogers,
    toolVersion: 'test',
    newId: randomUUID,
    layerSlots: createLayerSlots(2),
    advisoryFeed: options.feed,
    publicUrl: 'https://plimsoll.example/api',
    caches: newCaches(),
    ...overrides,
  });
  const context = instance();
  const send = (event: ImageEvent) => context.ports.queues.send('image-events', event);
  const where = (repository: string) => ({
    ...newEnvelope(clock.now()),
    registry: registry.host,
    repository,
  });
  return {
    registry,
    memory,
    clock,
    context,
    received,
    registryRequests,
    instance,
    async subscribe(subscription = {}) {
      const created: Subscription = {
        id: `sub-${randomUUID().slice(0, 8)}`,
        name: 'team',
        repositories: '*',
        url: 'https://receiver.example/hook',
        secretName: signingSecret.name,
        createdBy: 'test',
        createdAt: clock.now().toISOString(),
        ...subscription,
      };
      await context.ports.documents.create(subscriptionKey(created.id), { type: 'subscription', ...created });
      return created;
    },
    tellPush: (repository, tag, digest) =>
      send({
        ...where(repository),
        kind: 'push',
        ...(tag === undefined ? {} : { tag }),
        ...(digest === undefined ? {} : { digest }),
      } as ImageEvent),
    tellDelete: (repository, what) => send({ ...where(repository), kind: 'delete', ...what } as ImageEvent),
    settle: ({ withinMs = 24 * 60 * 60 * 1_000, instances = [context] } = {}) =>
      settle(memory, clock, instances, clock.now().getTime() + withinMs),
    drainPoison: (by = context) => drainPoison(memory, by),
    async close() {
      registries.close();
      await registry.close();
    },
  };
}

async function settle(
  memory: MemoryWorld,
  clock: ManualClock,
  instances: readonly PipelineContext[],
  untilMs: number,
): Promise<void> {
  for (let handled = 0; handled < maxMessages; ) {
    const before = handled;
    for (const queue of queueNames) {
      for (const message of await memory.queues.receive(queue, { max: 8, visibilityMs: 600_000 })) {
        const context = instances[handled % instances.length] as PipelineContext;
        handled += 1;
        await handleMessage(context, queue as StepQueue, message.body, message.dequeueCount);
        await memory.queues.remove(message);
      }
    }
    if (handled > before) continue;
    const next = nextDue(memory, queueNames);
    if (next === undefined || next > untilMs) return;
    clock.advance(Math.max(1, next - clock.now().getTime()));
  }
  throw new Error(`more than ${maxMessages} messages: something goes round`);
}

/** When the next message of the working queues is due; poison queues wait for a person. */
function nextDue(memory: MemoryWorld, queues: readonly QueueName[]): number | undefined {
  const times = queues
    .map((queue) => memory.queues.nextVisibleAt(queue))
    .filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

async function drainPoison(memory: MemoryWorld, context: PipelineContext): Promise<void> {
  for (const queue of queueNames) {
    for (;;) {
      const [message] = await memory.queues.receive(`${queue}-poison`, { max: 1 });
      if (message === undefined) break;
      await recordFailure(context, queue, message.body);
      await memory.queues.remove(message);
    }
  }
}
