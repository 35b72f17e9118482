/** Stands for the Functions host: hands work to a process that can be killed at any call of any port. */

import { withShard } from '../../../shared/pipeline/rescan.ts';
import { type RunDocument, runKey } from '../../../shared/pipeline/state/config.ts';
import type { Ports } from '../../../shared/ports/ports.ts';
import { queueNames } from '../../../shared/ports/queue.ts';
import type { ManualClock } from '../../support/manual-clock.ts';
import type { MemoryWorld } from '../../support/memory-ports.ts';
import { type AnyQueueName } from '../../support/memory-queues.ts';
import { FunctionsProcess, type PortCall, type WorkResult } from './functions-process.ts';
import type { Work } from './protocol.ts';

/** After how long the host's lease on a message of a dead process ends. */
const messageLeaseMs = 600_000;
/** More work than any scenario has: a loop that never ends fails instead. */
const maxWorks = 5_000;

/** Page messages of empty shards that the process handles like any other. */
const pagesLeftToProcess = 3;

/** The call at which the process dies, before its effect or after it. */
export interface KillPoint {
  readonly call: number;
  readonly when: 'before' | 'after';
}

/** A call that was made, for the enumeration. */
export interface SeenCall {
  readonly work: string;
  readonly name: string;
  /** Queue, container or registry method's subject, for reading a failure. */
  readonly subject: string;
  /** True where the call did what a thousand others do: an empty page, a page message. */
  readonly isRepetition: boolean;
  readonly isEmptyShard: boolean;
  /** What stands outside before and after the call: the piece of work and how many effects there were so far. A process
   *  that is killed leaves nothing else behind, so points with the same name are the same crash. */
  readonly stateBefore: string;
  readonly stateAfter: string;
}

/** Processes that are started ahead, so that a kill costs no waiting. */
export class ProcessPool {
  readonly #entry: string;
  #spare: FunctionsProcess;

  constructor(entry: string) {
    this.#entry = entry;
    this.#spare = new FunctionsProcess(entry);
  }

  async take(): Promise<FunctionsProcess> {
    const taken = this.#spare;
    this.#spare = new FunctionsProcess(this.#entry);
    await taken.reset();
    return taken;
  }

  async close(): Promise<void> {
    await this.#spare.kill();
  }
}

export class CrashHost {
  readonly calls: SeenCall[] = [];
  /** Steps that threw: only a kill may end a step early. */
  readonly errors: string[] = [];
  readonly #world: MemoryWorld;
  readonly #clock: ManualClock;
  readonly #pool: ProcessPool;
  readonly #killAt: KillPoint | undefined;
  #process: FunctionsProcess;
  #ports: Ports;
  #works = 0;
  #effects = 0;

  private constructor(
    world: MemoryWorld,
    clock: ManualClock,
    pool: ProcessPool,
    process: FunctionsProcess,
    killAt: KillPoint | undefined,
  ) {
    this.#world = world;
    this.#clock = clock;
    this.#pool = pool;
    this.#process = process;
    this.#killAt = killAt;
    this.#ports = world.instance();
  }

  static async start(
    world: MemoryWorld,
    clock: ManualClock,
    pool: ProcessPool,
    process: FunctionsProcess,
    killAt?: KillPoint,
  ): Promise<CrashHost> {
    await process.reset();
    return new CrashHost(world, clock, pool, process, killAt);
  }

  /** The process that lives now, for the next run. */
  get process(): FunctionsProcess {
    return this.#process;
  }

  /** Sends a notification until it is taken, as a registry does. */
  async webhook(body: string): Promise<void> {
    for (;;) {
      const result = await this.#run({ kind: 'webhook', body });
      if (!result.killed && result.status === 202) return;
      this.#clock.advance(1_000);
    }
  }

  /** Runs a timer; one that was killed runs again at its next time. */
  async timer(work: Extract<Work, { kind: 'timer' | 'sync' }>): Promise<void> {
    for (;;) {
      const result = await this.#run(work);
      if (!result.killed) return;
      this.#clock.advance(300_000);
    }
  }

  /** Does the work of most page messages of empty shards: all that a page of an empty shard leaves is its bit in the
   *  run's document. A few are left for the process. */
  async skipEmptyPages(run: string): Promise<void> {
    const filled = new Set(
      this.#world.documents
        .dump('images')
        .map((document) => (document.value.type === 'verdict' ? document.partition : '')),
    );
    const messages = await this.#world.queues.receive('rescan-pages', { max: 1_000 });
    const empty = messages.filter((message) => !filled.has((message.body as { shard: string }).shard));
    const skipped = empty.slice(pagesLeftToProcess);
    const left = messages.filter((message) => !skipped.includes(message));
    for (const message of left) await this.#world.queues.release(message);
    for (const message of skipped) await this.#world.queues.remove(message);
    const documents = this.#world.instance().documents;
    const stored = await documents.read<RunDocument>(runKey(run));
    if (stored === undefined) throw new Error(`no run ${run}`);
    const shardsDone = skipped.map((message) => (message.body as { shard: string }).shard);
    const doneShards = shardsDone.reduce(withShard, stored.value.doneShards);
    const next: RunDocument = { ...stored.value, doneShards };
    await documents.replace(runKey(run), next, stored.etag);
  }

  /** Works until no message waits, moving the clock to whatever is due next. */
  async settle(): Promise<void> {
    const { queues } = this.#world;
    for (;;) {
      const worked = await this.#workVisible();
      if (worked) continue;
      const next = queues.nextVisibleAt();
      if (next === undefined) return;
      this.#clock.advance(Math.max(1, next - this.#clock.now().getTime()));
    }
  }

  async #workVisible(): Promise<boolean> {
    for (const queue of queueNames) {
      const [message] = await this.#world.queues.receive(queue, { max: 1, visibilityMs: messageLeaseMs });
      if (message === undefined) continue;
      const { dequeueCount, body } = message;
      const result = await this.#run({ kind: 'message', queue, body, dequeueCount });
      if (!result.killed && result.error === undefined) await this.#world.queues.remove(message);
      return true;
    }
    return false;
  }

  async #run(work: Work): Promise<WorkResult> {
    this.#works += 1;
    if (this.#works > maxWorks) throw new Error(`more than ${maxWorks} pieces of work: something goes round`);
    const label = work.kind === 'message' ? `${work.queue}` : work.kind === 'timer' ? work.timer : work.kind;
    const firstCall = this.calls.length;
    const result = await this.#process.run(
      work,
      () => this.#clock.now(),
      (call) => this.#perform(label, call),
    );
    const isEmptyPage = this.calls.slice(firstCall).some((call) => call.isEmptyShard);
    if (label === 'rescan-pages' && isEmptyPage) {
      // A page of an empty shard is like every other one.
      this.calls.splice(
        firstCall,
        Number.POSITIVE_INFINITY,
        ...this.calls.slice(firstCall).map((call) => ({ ...call, isRepetition: true })),
      );
    }
    if (result.killed) {
      this.#process = await this.#pool.take();
      this.#ports = this.#world.instance();
    }
    if (result.error !== undefined) this.errors.push(`${label}: ${result.error}`);
    return result;
  }

  async #perform(work: string, call: PortCall): Promise<{ result: unknown } | 'kill'> {
    const number = this.calls.length;
    const isHere = this.#killAt?.call === number;
    const stateBefore = `${this.#works}:${this.#effects}`;
    if (!readingMethods.has(call.method)) this.#effects += 1;
    const states = { stateBefore, stateAfter: `${this.#works}:${this.#effects}` };
    // Counted before the effect: calls that a step makes at once keep their order.
    this.calls.push({ ...seen(work, call, undefined), ...states });
    if (isHere && this.#killAt?.when === 'before') return 'kill';
    const port = this.#ports[call.port as keyof Ports] as unknown as Record<
      string,
      (...args: unknown[]) => unknown
    >;
    const method = port[call.method];
    if (method === undefined) throw new Error(`no method ${call.port}.${call.method}`);
    const result = await readable(await Reflect.apply(method, port, [...call.args]));
    this.calls[number] = { ...seen(work, call, result), ...states };
    return isHere ? 'kill' : { result };
  }
}

/** Methods that change nothing; every other one, also one that is new, counts as an effect. */
const readingMethods = new Set([
  ...['read', 'list', 'exists', 'depth'],
  ...['resolveTag', 'manifest', 'hasManifest', 'hasBlob', 'blob', 'openBlob'],
]);

/** Blob streams cross to the child as their chunks. */
async function readable(result: unknown): Promise<unknown> {
  if (typeof result !== 'object' || result === null || !('bytes' in result)) return result;
  if (result.bytes instanceof Uint8Array) return result;
  const chunks: Uint8Array[] = [];
  for await (const chunk of result.bytes as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return { ...result, bytes: chunks };
}

function seen(work: string, call: PortCall, result: unknown): Omit<SeenCall, 'stateBefore' | 'stateAfter'> {
  const first = call.args[0];
  const second = call.args[1];
  const subject =
    typeof first === 'string'
      ? `${first}${typeof second === 'string' ? `/${second}` : ''}`
      : JSON.stringify(first).slice(0, 200);
  const page = result as { items?: unknown[] } | undefined;
  const isEmptyShard =
    call.method === 'list' &&
    (first as { container?: string }).container === 'images' &&
    page?.items?.length === 0;
  return {
    work,
    name: `${call.port}.${call.method}`,
    subject,
    isEmptyShard,
    isRepetition: isEmptyShard || first === ('rescan-pages' satisfies AnyQueueName),
  };
}
