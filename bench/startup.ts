/** How long the built command takes to start, against `node -e 0` in the same run: `node bench/startup.ts [--save]`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

const runs = 31;
/** The owner's limit: `--version` takes at most three times `node -e 0`. */
const limit = 3;
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const results = fileURLToPath(new URL('results/startup.json', import.meta.url));

if (!existsSync(cli)) {
  execFileSync(process.execPath, [fileURLToPath(new URL('../.ci/build.mjs', import.meta.url))], {
    stdio: 'inherit',
  });
}
const commandMs: number[] = [];
const nodeMs: number[] = [];
// In turns, so that what else the machine does meanwhile slows both alike.
for (let run = 0; run < runs; run += 1) {
  commandMs.push(measureMs([cli, '--version']));
  nodeMs.push(measureMs(['-e', '0']));
}
const result = {
  what: 'plimsoll --version, built, against node -e 0; median of wall times in ms',
  node: process.version,
  cores: cpus().length,
  runs,
  commandMs: round(median(commandMs)),
  nodeMs: round(median(nodeMs)),
  ratio: round(median(commandMs) / median(nodeMs)),
  limit,
};
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
if (process.argv.includes('--save')) {
  mkdirSync(fileURLToPath(new URL('results', import.meta.url)), { recursive: true });
  writeFileSync(results, `${JSON.stringify(result, undefined, 2)}\n`);
}
process.exitCode = result.ratio <= limit ? 0 : 1;

function measureMs(words: readonly string[]): number {
  const from = performance.now();
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`expected node ${words.join(' ')} to end well, found ${status}: ${stderr}`);
  }
  return performance.now() - from;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
