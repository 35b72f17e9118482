/** Layers to measure with: generated once, the same bytes every time, as gzip files in a folder. */
import { createWriteStream, existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { tarHeader, tarPadding } from '../shared/image/tar-writer.ts';

/** 2 GB: 200 files of 10 MB, half ordinary text, half bytes that do not compress. */
export async function makeLargeLayer(folder: string): Promise<string> {
  return makeLayer(folder, 'large-2gb.tar.gz', function* () {
    const words = makeText(10_000_000);
    const noise = makeNoise(10_000_000);
    for (let index = 0; index < 200; index++) {
      yield* entry(`srv/data/part-${index}.bin`, index % 2 === 0 ? words : noise);
    }
  });
}

/** 300,000 files of 2 KB of ordinary text, each its own. */
export async function makeSmallFilesLayer(folder: string): Promise<string> {
  return makeLayer(folder, 'small-files-300k.tar.gz', function* () {
    const words = makeText(16_000_000);
    for (let index = 0; index < 300_000; index++) {
      const start = (index * 7919) % (words.length - 2048);
      const path = `usr/share/doc/package-${Math.floor(index / 50)}/chapter-${index % 50}/notes-${index}.txt`;
      yield* entry(path, words.subarray(start, start + 2048));
    }
  });
}

async function makeLayer(folder: string, name: string, entries: () => Generator<Buffer>): Promise<string> {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  const archive = async function* (): AsyncGenerator<Buffer> {
    yield* entries();
    yield Buffer.alloc(1024);
  };
  const unfinished = `${path}.part`;
  await pipeline(Readable.from(archive()), createGzip({ chunkSize: 1 << 18 }), createWriteStream(unfinished));
  await rename(unfinished, path);
  return path;
}

function* entry(path: string, content: Buffer): Generator<Buffer> {
  yield tarHeader({ path, type: 'file', size: content.length, mode: 0o644 });
  yield content;
  yield tarPadding(content.length);
}

/** Text of some 5,000 words that come as often as words do: the n-th most frequent one with a share of 1/n. */
function makeText(length: number): Buffer {
  const next = random(1);
  const words = Array.from({ length: 5000 }, () => {
    const letters = 2 + (next() % 9);
    return Array.from(
      { length: letters },
      () => 'etaoinshrdlucmfwypvbgkjqxz'[Math.floor((next() % 676) ** 0.5)],
    ).join('');
  });
  const text = Buffer.alloc(length, ' ');
  for (let at = 0, column = 0; at < length; ) {
    const rank = Math.floor(Math.exp(((next() % 100_000) / 100_000) * Math.log(words.length)));
    const word = words[rank] ?? 'the';
    at += text.write(word, at, 'latin1');
    column += word.length + 1;
    text[at] = column > 80 ? 0x0a : 0x20;
    if (column > 80) column = 0;
    at++;
  }
  return text;
}

function makeNoise(length: number): Buffer {
  const next = random(2);
  const noise = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) noise.writeUInt32LE(next(), at);
  return noise;
}

/** xorshift32: the same numbers on every machine. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
