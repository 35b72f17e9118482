/** Measures the advisory index: `node bench/advisories.ts CORPUS [RECORDS]` imports the corpus' feed and, where RECORDS
 *  is given, the same records grown to that many, and prints a table in Markdown. One process for each size, so that
 *  the memory is that of one import. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publishIndex } from '../shared/advisories/build-index.ts';
import { readCveList } from '../shared/advisories/cve-list.ts';
import type { IndexStore } from '../shared/advisories/index-store.ts';
import { openIndex } from '../shared/advisories/open-index.ts';
import type { KeyedRow } from '../shared/advisories/osv-record.ts';
import { openOsvFolder } from '../shared/advisories/osv-source.ts';
import { readBucket } from '../shared/advisories/read-bucket.ts';

const [corpus = '../shared/corpus', records, mode] = process.argv.slice(2);
const now = new Date('2026-11-24T00:00:00Z');

if (mode === 'child') {
  await measure(corpus, Number(records));
} else {
  process.stdout.write(
    '| records | rows | packages | import, s | records/s | CPU, s | peak memory, MB | shards | index, MB | cold lookup of 400 keys, KB | its time, ms | warm, ms |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n',
  );
  for (const size of ['0', ...(records === undefined ? [] : [records])]) {
    const run = spawnSync(process.execPath, [fileURLToPath(import.meta.url), corpus, size, 'child'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (run.status !== 0) throw new Error(`the run of ${size} records ended with ${run.status}`);
    process.stdout.write(run.stdout);
  }
}

/** Parts in memory, so that no disk is measured; counts the bytes that are read. */
function countingStore(): IndexStore & { readonly parts: Map<string, Uint8Array>; bytesRead: number } {
  const parts = new Map<string, Uint8Array>();
  return {
    parts,
    bytesRead: 0,
    async read(name) {
      const found = parts.get(name);
      this.bytesRead += found?.byteLength ?? 0;
      return found;
    },
    createOnce: async (name, bytes) => {
      if (parts.has(name)) return false;
      parts.set(name, bytes);
      return true;
    },
  };
}

async function measure(folder: string, wanted: number): Promise<void> {
  const store = countingStore();
  const ratings = await readCveList(join(folder, 'enrichment/cvelist-v5.zip'));
  const cpu = process.cpuUsage();
  const start = performance.now();
  let imported = 0;
  let newestAt = '';
  const keys = new Set<string>();
  const rows = async function* (): AsyncIterable<KeyedRow> {
    for (let copy = 0; copy === 0 || imported < wanted; copy += 1) {
      const reading = readBucket(openOsvFolder(join(folder, 'osv')), {
        rateCve: (id) => ratings.get(id),
        now,
      });
      for await (const { key, row } of reading.rows) {
        if (keys.size < 400 && key.startsWith('Debian:11|')) keys.add(key);
        // A fourth of what is new is about the same packages, the rest about new ones.
        yield copy === 0
          ? { key, row }
          : { key: copy % 4 === 0 ? key : `${key}-${copy}`, row: { ...row, id: `${row.id}-${copy}` } };
        if (copy > 0 && imported + reading.recordCount() >= wanted) break;
      }
      imported += reading.recordCount();
      newestAt = reading.newestAt();
    }
  };
  const { published } = await publishIndex(store, undefined, rows(), { newestAt: () => newestAt });
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  const peak = process.resourceUsage().maxRSS / 1024;

  // Names of an image: those with rows, filled up to 400 with names that have none, as most of an image's packages.
  const lookup = [...keys].slice(0, 200);
  for (let index = 0; lookup.length < 400; index += 1) lookup.push(`Debian:11|without-advisories-${index}`);
  store.bytesRead = 0;
  const coldStart = performance.now();
  const index = await openIndex(store, published);
  await index.lookup(lookup);
  const cold = performance.now() - coldStart;
  const coldBytes = store.bytesRead;
  const warmStart = performance.now();
  await index.lookup(lookup);
  const warm = performance.now() - warmStart;

  const shards = [...store.parts.keys()].filter((name) => name.startsWith('shards/')).length;
  const total = [...store.parts.values()].reduce((sum, part) => sum + part.byteLength, 0);
  const cells = [
    imported,
    published.rowCount,
    published.keyCount,
    seconds.toFixed(1),
    Math.round(imported / seconds),
    ((used.user + used.system) / 1e6).toFixed(1),
    Math.round(peak),
    shards,
    (total / 1e6).toFixed(2),
    Math.round(coldBytes / 1000),
    Math.round(cold),
    warm.toFixed(1),
  ];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}
