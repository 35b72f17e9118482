/** One measurement in a process of its own: `node bench/layer-run.ts bare|read LAYER DIGEST` prints it as JSON. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { catalogers } from '../shared/catalogers/registry.ts';
import { requireDigest } from '../shared/domain/digest.ts';
import { readLayer } from '../shared/image/read-layer.ts';

const [mode = '', path = '', digest = ''] = process.argv.slice(2);

/** Chunk sizes as Node has them, and large ones; the faster of the two is what the reader is measured against. */
const chunkBytes = mode === 'bare-large' ? 256 * 1024 : undefined;

const start = performance.now();
const result = mode === 'read' ? await readWhole() : await runBare();
const elapsedMs = performance.now() - start;
const rssMegabytes = process.resourceUsage().maxRSS / 1024;
process.stdout.write(JSON.stringify({ elapsedMs, rssMegabytes, result }));

async function readWhole(): Promise<string> {
  const open = () => createReadStream(path, { highWaterMark: 256 * 1024 });
  const { inventory, leafPaths } = await readLayer(open(), {
    layerDigest: requireDigest(digest, 'argument'),
    catalogers,
    reopen: async () => open(),
  });
  return `${inventory.diffId} ${inventory.entryCount} entries, ${leafPaths.length} paths, ${inventory.groups.length} groups, ${inventory.issues.length} issues`;
}

/** What nobody can do without: gunzip, and SHA-256 of what goes in and of what comes out. */
async function runBare(): Promise<string> {
  const compressed = createHash('sha256');
  const uncompressed = createHash('sha256');
  const options = chunkBytes === undefined ? {} : { highWaterMark: chunkBytes };
  await pipeline(
    createReadStream(path, options),
    hashInto(compressed, options),
    createGunzip(chunkBytes === undefined ? {} : { chunkSize: chunkBytes }),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) uncompressed.update(chunk);
    },
  );
  return `sha256:${uncompressed.digest('hex')}`;
}

function hashInto(
  hash: ReturnType<typeof createHash>,
  options: { readonly highWaterMark?: number },
): Transform {
  return new Transform({
    ...options,
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}
