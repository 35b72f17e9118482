/** What hostile layers cost a reader: `node bench/fuzz-layer-memory.ts [KIND]...` makes each layer and reads it in a
 *  process of its own, where the most that was resident shows what the reader holds. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { tarHeader, tarPadding } from '../shared/image/tar-writer.ts';

const mebibyte = 1024 * 1024;

const layers: Readonly<Record<string, () => Generator<Buffer>>> = {
  *'400,000 npm packages'() {
    for (let index = 0; index < 400_000; index++)
      yield* npmFile(`srv/node_modules/p${index}`, packageText(index));
  },
  *'package.json of a million empty lists'() {
    const text = `{"name":"x","version":"1.0.0","x":[${Array(1_300_000).fill('[]').join()}]}`;
    for (let index = 0; index < 60; index++) yield* npmFile(`srv/node_modules/p${index}`, text);
  },
  *'package.json of two million levels'() {
    const levels = 2 * mebibyte - 100;
    const text = `{"name":"x","version":"1.0.0","x":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    for (let index = 0; index < 60; index++) yield* npmFile(`srv/node_modules/p${index}`, text);
  },
  *'packages below two thousand directories each'() {
    for (let index = 0; index < 20_000; index++) {
      yield* npmFile(`d${index}/${'a/'.repeat(1_900)}node_modules/p`, packageText(index));
    }
  },
  *'wanted links of 4,000 characters'() {
    for (let index = 0; index < 60_000; index++) {
      const path = `srv/node_modules/p${index}/package.json`;
      const linkTarget = `${index}/${'b'.repeat(200)}`.repeat(18);
      yield tarHeader({ path, type: 'symlink', size: 0, mode: 0o644, linkTarget });
    }
  },
  *'a million and a half paths'() {
    for (let index = 0; index < 1_490_000; index++) {
      yield tarHeader({ path: `usr/share/some/long/folder/f${index}`, type: 'file', size: 0, mode: 0o644 });
    }
  },
};

const wanted = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'plimsoll-fuzz-'));
try {
  for (const [kind, entries] of Object.entries(layers)) {
    if (wanted.length === 0 || wanted.includes(kind)) await measure(kind, entries);
  }
} finally {
  await rm(folder, { recursive: true });
}

async function measure(kind: string, entries: () => Generator<Buffer>): Promise<void> {
  const path = join(folder, 'layer.tar.gz');
  const archive = async function* (): AsyncGenerator<Buffer> {
    yield* entries();
    yield Buffer.alloc(1024);
  };
  await pipeline(Readable.from(archive()), createGzip({ level: 1 }), createWriteStream(path));
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  const run = join(import.meta.dirname, 'layer-run.ts');
  const args = [run, 'read', path, `sha256:${hash.digest('hex')}`];
  const { elapsedMs, rssMegabytes, result } = JSON.parse(
    execFileSync(process.execPath, args, { encoding: 'utf8' }),
  );
  process.stdout.write(`${kind}: ${Math.round(rssMegabytes)} MB, ${Math.round(elapsedMs)} ms, ${result}\n`);
}

function packageText(index: number): string {
  return JSON.stringify({ name: `package-number-${index}`, version: `1.${index}.0`, license: 'MIT' });
}

function* npmFile(directory: string, text: string): Generator<Buffer> {
  const content = Buffer.from(text);
  yield tarHeader({ path: `${directory}/package.json`, type: 'file', size: content.length, mode: 0o644 });
  yield content;
  yield tarPadding(content.length);
}
