/** One history of pushes, moves, a delete and new advisories, run in a process that may be killed at any call. */

import { createRegistryClient } from '../../../shared/image/registry-client.ts';
import { type OciRegistry, startOciRegistry } from '../../../shared/local/oci-registry.ts';
import { indexStore } from '../../../shared/pipeline/revisions.ts';
import { advisoriesKey, subscriptionKey } from '../../../shared/pipeline/state/config.ts';
import type { DocumentBody } from '../../../shared/ports/documents.ts';
import { buildIndex, deleteManifest, pushImage, pushIndex } from '../../support/image-builder.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { createMemoryWorld, type MemoryWorld } from '../../support/memory-ports.ts';
import { feedOfRows } from '../feed-of-rows.ts';
import { toldBy } from '../reading.ts';
import { debianAdvisory, npmAdvisory, npmImage } from '../sample-images.ts';
import { signingSecret } from '../world.ts';
import { CrashHost, type KillPoint, type ProcessPool, type SeenCall } from './crash-host.ts';
import type { FunctionsProcess } from './functions-process.ts';

/** What must be the same whatever was killed. */
export interface Outcome {
  /** `repository digest decision seq-independent facts`, one line a verdict. */
  readonly verdicts: readonly string[];
  /** Number of history items of each digest at each place, by inputs without `asOf`. */
  readonly history: readonly string[];
  /** Every change told, with the subscription: once. */
  readonly changes: readonly string[];
  /** Deliveries that did not arrive, messages on poison queues, steps that threw. */
  readonly faults: readonly string[];
}

export interface ScenarioRun {
  readonly outcome: Outcome;
  readonly calls: readonly SeenCall[];
  /** First call of each phase, in order: `push`, `move`, `index`, `delete`, `reopen`, `rescan`, `timer`. */
  readonly phases: readonly { readonly name: string; readonly firstCall: number }[];
  readonly process: FunctionsProcess;
}

const repository = 'team/app';
const lodash = npmImage('lodash', '4.17.15');
const minimist = npmImage('minimist', '0.0.8');
const index = buildIndex([minimist, npmImage('minimist', '0.0.8', { os: 'linux', architecture: 'arm64' })]);
const firstAdvisories = [npmAdvisory('GHSA-test-lodash', 'lodash', '4.17.21')];
const laterAdvisories = [
  ...firstAdvisories,
  npmAdvisory('GHSA-test-minimist', 'minimist', '1.2.6', 'critical'),
  debianAdvisory('DSA-test', 'openssl', '99'),
];

/** Runs the scenario from empty stores. */
export async function runScenario(
  registry: OciRegistry,
  pool: ProcessPool,
  process: FunctionsProcess,
  killAt?: KillPoint,
): Promise<ScenarioRun> {
  const clock = createManualClock();
  const received: { subscription: string; told: ReturnType<typeof toldBy> }[] = [];
  const registries = createRegistryClient({
    registries: [],
    allowLoopback: true,
    credentials: async () => ({ kind: 'anonymous' }),
  });
  const world = createMemoryWorld({
    clock,
    staleMs: 500,
    registries,
    sender: {
      async post(request) {
        received.push({ subscription: new URL(request.url).hostname, told: toldBy(request) });
        return { status: 204 };
      },
    },
    secrets: { [signingSecret.name]: signingSecret.value, 'webhook-token': 'crash-test-token' },
  });
  await subscribe(world, 'everything', undefined);
  await subscribe(world, 'critical-only', 'critical');
  await publishFirst(world, clock);
  clock.advance(10_000);
  const host = await CrashHost.start(world, clock, pool, process, killAt);
  const phases: { name: string; firstCall: number }[] = [];
  const phase = (name: string): void => {
    // A team pushes minutes apart: what one push left is visible to every instance before the next one.
    clock.advance(60_000);
    phases.push({ name, firstCall: host.calls.length });
  };

  phase('push');
  await pushImage(registry.url, repository, 'v1', lodash);
  await host.webhook(pushed(registry, lodash.manifest.digest, 'v1'));
  await host.webhook(pushed(registry, lodash.manifest.digest, 'v1'));
  await host.settle();

  phase('move');
  await pushImage(registry.url, repository, 'v1', minimist);
  await host.webhook(pushed(registry, minimist.manifest.digest, 'v1'));
  await host.settle();

  phase('index');
  await pushIndex(registry.url, 'team/multi', 'v1', index);
  for (const image of index.images) {
    await host.webhook(pushed(registry, image.manifest.digest, undefined, 'team/multi'));
  }
  await host.webhook(pushed(registry, index.manifest.digest, 'v1', 'team/multi'));
  await host.settle();

  phase('delete');
  await deleteManifest(registry.url, repository, lodash.manifest.digest);
  await host.webhook(deleted(registry, lodash.manifest.digest));
  await host.settle();

  phase('reopen');
  await deleteManifest(registry.url, repository, minimist.manifest.digest);
  await host.webhook(deleted(registry, minimist.manifest.digest));
  await host.settle();
  await pushImage(registry.url, repository, 'v1', minimist);
  await host.webhook(pushed(registry, minimist.manifest.digest, 'v1'));
  await host.settle();

  phase('rescan');
  clock.advance(3_600_000);
  await host.timer({ kind: 'sync', advisories: laterAdvisories });
  // Its messages appear after a while.
  clock.advance(10_000);
  await host.skipEmptyPages('advisories-2');
  await host.settle();

  phase('timer');
  clock.advance(3_600_000);
  await host.timer({ kind: 'timer', timer: 'send-outbox' });
  await host.settle();

  registries.close();
  return { outcome: outcomeOf(world, received, host), calls: host.calls, phases, process: host.process };
}

/** The first revision of the advisories, in force before anything happens. */
async function publishFirst(world: MemoryWorld, clock: ManualClock): Promise<void> {
  const { blobs, documents } = world.instance();
  const feed = feedOfRows(firstAdvisories);
  const { published } = await feed.publish(indexStore(blobs), undefined, clock.now());
  const syncedAt = clock.now().toISOString();
  await documents.create(advisoriesKey, { type: 'advisories', published, syncedAt } as DocumentBody);
}

export function startScenarioRegistry(): Promise<OciRegistry> {
  return startOciRegistry();
}

async function subscribe(
  world: MemoryWorld,
  name: string,
  minSeverity: 'critical' | undefined,
): Promise<void> {
  await world.instance().documents.create(subscriptionKey(name), {
    type: 'subscription',
    id: name,
    name,
    repositories: '*',
    url: `https://${name}/hook`,
    secretName: signingSecret.name,
    createdBy: 'test',
    createdAt: '2026-01-01T00:00:00.000Z',
    ...(minSeverity === undefined ? {} : { minSeverity, kinds: ['finding.new', 'finding.gone'] }),
  } as never);
}

function outcomeOf(
  world: MemoryWorld,
  received: readonly { subscription: string; told: ReturnType<typeof toldBy> }[],
  host: CrashHost,
): Outcome {
  const documents = world.documents.dump();
  const ofType = (type: string) => documents.filter((document) => document.value.type === type);
  // biome-ignore format: one line a fact
  const at = (value: Record<string, unknown>): string =>
    `${(value['place'] as { repository: string }).repository} ${String(value['digest']).slice(7, 19)}`;
  const verdicts = ofType('verdict').map(({ value }) => {
    const judged = value['judged'] as { decision: string; summary: unknown; inputsHash: string } | null;
    const isTold = judged?.inputsHash === value['told'];
    const ended = value['ended'] === null ? 'active' : 'ended';
    return `${at(value)} ${judged?.decision} ${ended} told:${isTold} outbox:${(value['outbox'] as unknown[]).length} error:${JSON.stringify(value['error'])} ${JSON.stringify(judged?.summary)}`;
  });
  const history = ofType('history').map(({ value }) => {
    const inputs = { ...(value['inputs'] as Record<string, unknown>), asOf: '' };
    return `${at(value)} ${JSON.stringify(inputs)}`;
  });
  return {
    verdicts: verdicts.sort(),
    history: history.sort(),
    changes: changesOf(received),
    faults: [
      ...host.errors,
      ...world.queues.peekAll().map((message) => `left on ${message.queue}`),
      ...ofType('delivery')
        .filter(({ value }) => value['status'] !== 'delivered')
        .map(({ value }) => `delivery ${String(value['status'])}`),
      ...doubles(received),
    ],
  };
}

/** A repeat under the same id is the same notification: no sender can do better than that. */
function changesOf(received: readonly { subscription: string; told: ReturnType<typeof toldBy> }[]): string[] {
  const byId = new Map(received.map((entry) => [`${entry.subscription} ${entry.told.id}`, entry]));
  return [...byId.values()]
    .flatMap(({ subscription, told }) =>
      told.images.flatMap((image) =>
        image.changes.map(
          (change) =>
            `${subscription}: ${image.digest.slice(7, 19)} tag ${image.tag} ${image.cause.kind} ${change.kind} ${change.title}`,
        ),
      ),
    )
    .sort();
}

/** Changes that one subscription was told under two delivery ids. */
function doubles(received: readonly { subscription: string; told: ReturnType<typeof toldBy> }[]): string[] {
  const deliveryOf = new Map<string, string>();
  const found: string[] = [];
  for (const { subscription, told } of received) {
    for (const change of told.images.flatMap((image) => image.changes)) {
      const key = `${subscription} ${change.id}`;
      const known = deliveryOf.get(key);
      if (known !== undefined && known !== told.id) found.push(`told twice: ${subscription} ${change.title}`);
      deliveryOf.set(key, told.id);
    }
  }
  return found;
}

function pushed(registry: OciRegistry, digest: string, tag: string | undefined, where = repository): string {
  const target = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest,
    repository: where,
    ...(tag === undefined ? {} : { tag }),
  };
  return notification(registry, 'push', target);
}

function deleted(registry: OciRegistry, digest: string): string {
  return notification(registry, 'delete', { digest, repository });
}

function notification(registry: OciRegistry, action: string, target: object): string {
  const event = {
    id: `${action}-${JSON.stringify(target)}`,
    action,
    target,
    request: { host: registry.host },
  };
  return JSON.stringify({ events: [event] });
}
