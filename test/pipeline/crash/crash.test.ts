import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OciRegistry } from '../../../shared/local/oci-registry.ts';
import { type KillPoint, ProcessPool, type SeenCall } from './crash-host.ts';
import { runScenario, type ScenarioRun, startScenarioRegistry } from './scenario.ts';

/** Of calls that are alike to the letter (pages of empty shards, messages for them) so many are killed at. */
const samplesOfRepetition = 3;

/** The whole enumeration (PLIMSOLL_CRASH_EVERY=1, as the checks of a landing run it) takes minutes; every twentieth
 *  point is a quick look. */
const every = Number(process.env['PLIMSOLL_CRASH_EVERY'] ?? 20);

/** Several minutes on a slow machine: some hundreds of processes are killed. */
const limitMs = 15 * 60_000;

let folder: string;
let registry: OciRegistry;
let pool: ProcessPool;
let reference: ScenarioRun;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plimsoll-crash-'));
  const entry = join(folder, 'child.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./child.ts', import.meta.url))],
    outfile: entry,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  registry = await startScenarioRegistry();
  pool = new ProcessPool(entry);
  reference = await runScenario(registry, pool, await pool.take());
});

afterAll(async () => {
  await reference.process.kill();
  await pool.close();
  await registry.close();
  await rm(folder, { recursive: true });
});

describe('a functions process that is never killed', () => {
  it('judges every image, tells every change once and leaves nothing behind', () => {
    expect(reference.outcome.faults).toEqual([]);
    expect(reference.outcome.verdicts).toHaveLength(4);
    expect(reference.outcome.changes.length).toBeGreaterThan(10);
    expect(reference.calls.length).toBeGreaterThan(300);
  });
});

describe('a functions process that is killed before or after any call of any port', () => {
  it(
    'leaves the same verdicts, histories and changes told',
    async () => {
      let { process } = reference;
      const points = killPoints(reference.calls).filter((_, index) => index % every === 0);
      console.info(`${reference.calls.length} calls, killed ${points.length} times`);
      const failures: string[] = [];
      for (const point of points) {
        const run = await runScenario(registry, pool, process, point);
        process = run.process;
        const failure = compare(run, point);
        if (failure !== undefined) failures.push(failure);
        if (failures.length >= 5) break;
      }
      reference = { ...reference, process };
      expect(failures).toEqual([]);
    },
    limitMs,
  );
});

function compare(run: ScenarioRun, point: KillPoint): string | undefined {
  const differences = (['verdicts', 'history', 'changes', 'faults'] as const).flatMap((part) => [
    ...reference.outcome[part].filter((line) => !run.outcome[part].includes(line)).map((line) => `- ${line}`),
    ...run.outcome[part].filter((line) => !reference.outcome[part].includes(line)).map((line) => `+ ${line}`),
    ...(run.outcome[part].length === reference.outcome[part].length ? [] : [`other number of ${part}`]),
  ]);
  if (differences.length === 0) return undefined;
  const call = reference.calls[point.call];
  return [
    `killed ${point.when} call ${point.call} (${call?.work}: ${call?.name} ${call?.subject})`,
    ...differences,
  ].join('\n');
}

/** Before and after every call, each state of the world outside once. */
function killPoints(calls: readonly SeenCall[]): readonly KillPoint[] {
  const repetitions = new Map<string, number>();
  const states = new Set<string>();
  const points: KillPoint[] = [];
  for (const [call, seen] of calls.entries()) {
    const key = `${seen.work} ${seen.name}`;
    const count = repetitions.get(key) ?? 0;
    if (seen.isRepetition) repetitions.set(key, count + 1);
    if (seen.isRepetition && count >= samplesOfRepetition) continue;
    for (const when of ['before', 'after'] as const) {
      const state = when === 'before' ? seen.stateBefore : seen.stateAfter;
      if (!states.has(state)) points.push({ call, when });
      states.add(state);
    }
  }
  return points;
}
