/**
 * How long a layer's reading takes against one bare pipeline over the same bytes (gunzip, SHA-256 of both sides):
 * `node bench/read-layer.ts [LAYER.tar.gz ...]`. The layers given come first, then two generated ones (kept in the
 * temporary folder). Each measurement is a process of its own; bare and reading take turns. Writes
 * bench/results/read-layer.md and ends with 1 where a target is missed.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeLargeLayer, makeSmallFilesLayer } from './layer-inputs.ts';

const targetRatio = 1.3;
const targetMegabytes = 300;
const rounds = 5;

interface Measurement {
  readonly elapsedMs: number;
  readonly rssMegabytes: number;
  readonly result: string;
}

interface Row {
  readonly layer: string;
  readonly sizeBytes: number;
  readonly bareMs: number;
  readonly bareLargeMs: number;
  readonly readMs: number;
  readonly rssMegabytes: number;
  readonly result: string;
}

const folder = join(tmpdir(), 'plimsoll-bench');
await mkdir(folder, { recursive: true });
const layers = [...process.argv.slice(2), await makeLargeLayer(folder), await makeSmallFilesLayer(folder)];
const rows: Row[] = [];
for (const layer of layers) rows.push(await measureLayer(layer));
const report = render(rows);
const resultsFolder = fileURLToPath(new URL('results/', import.meta.url));
await mkdir(resultsFolder, { recursive: true });
await writeFile(join(resultsFolder, 'read-layer.md'), report);
process.stdout.write(report);
process.exitCode = rows.every(meetsTargets) ? 0 : 1;

async function measureLayer(path: string): Promise<Row> {
  const digest = `sha256:${await hashFile(path)}`;
  const measured: Record<string, Measurement[]> = { bare: [], 'bare-large': [], read: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [mode, all] of Object.entries(measured)) {
      all.push(await measure(mode, path, digest));
      process.stderr.write(`${basename(path)} ${mode} ${all.at(-1)?.elapsedMs.toFixed(0)} ms\n`);
    }
  }
  return {
    layer: basename(path).slice(0, 40),
    sizeBytes: (await stat(path)).size,
    bareMs: median(measured['bare'] ?? []),
    bareLargeMs: median(measured['bare-large'] ?? []),
    readMs: median(measured['read'] ?? []),
    rssMegabytes: Math.max(...(measured['read'] ?? []).map((one) => one.rssMegabytes)),
    result: measured['read']?.[0]?.result.replace(/^\S+ /, '') ?? '',
  };
}

async function measure(mode: string, path: string, digest: string): Promise<Measurement> {
  const script = fileURLToPath(new URL('layer-run.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, mode, path, digest]);
  return JSON.parse(stdout);
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function median(all: readonly Measurement[]): number {
  const sorted = all.map((one) => one.elapsedMs).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function meetsTargets(row: Row): boolean {
  return (
    row.readMs <= targetRatio * Math.min(row.bareMs, row.bareLargeMs) && row.rssMegabytes <= targetMegabytes
  );
}

function render(all: readonly Row[]): string {
  const lines = all.map((row) => {
    const ratio = (bareMs: number) => (row.readMs / bareMs).toFixed(2);
    return [
      row.layer,
      `${(row.sizeBytes / 1e6).toFixed(0)} MB`,
      row.bareMs.toFixed(0),
      row.bareLargeMs.toFixed(0),
      row.readMs.toFixed(0),
      ratio(row.bareMs),
      ratio(row.bareLargeMs),
      row.rssMegabytes.toFixed(0),
      row.result,
    ].join(' | ');
  });
  return `# Reading a layer

Made by \`node bench/read-layer.ts [LAYER.tar.gz ...]\` with Node ${process.versions.node} on ${cpus().length} cores
(${cpus()[0]?.model.trim() ?? 'unknown'}). Medians of ${rounds} runs, each in a process of its own; times in milliseconds.
Bare is gunzip with SHA-256 of what goes in and of what comes out, with Node's own chunk sizes and with chunks of 256 KiB.
Target: reading takes at most ${targetRatio} times the faster one, with at most ${targetMegabytes} MB resident.

| layer | compressed | bare | bare, large chunks | reading | ratio | ratio to large chunks | peak MB | read |
|---|---|---|---|---|---|---|---|---|
${lines.map((line) => `| ${line} |`).join('\n')}
`;
}
