/** The registry client against Debian's docker-registry, and the local registry against skopeo: neither is ours. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { parseManifest } from '../../shared/image/manifest.ts';
import { createRegistryClient } from '../../shared/image/registry-client.ts';
import { startOciRegistry } from '../../shared/local/oci-registry.ts';
import { pushImage, pushManifest, sampleBytes } from '../support/registry-push.ts';

const run = promisify(execFile);
const open: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function reason(program: string): string {
  return isInstalled(program) ? '' : ` (skipped: apt-get install ${program})`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plimsoll-test-'));
  open.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function startDockerRegistry(): Promise<string> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const config = join(folder, 'config.yml');
  await writeFile(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${folder}/data}, delete: {enabled: true}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  open.push(() => {
    child.kill('SIGKILL');
  });
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const isUp = await fetch(`http://127.0.0.1:${port}/v2/`).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return `127.0.0.1:${port}`;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('docker-registry did not start within 10 s');
}

function client() {
  const made = createRegistryClient({
    registries: [],
    allowLoopback: true,
    credentials: async () => ({ kind: 'anonymous' }),
  });
  open.push(() => made.close());
  return made;
}

describe.skipIf(!isInstalled('docker-registry'))(
  `Debian's docker-registry${reason('docker-registry')}`,
  () => {
    test('tags, manifests, indexes and blobs are read as they were pushed', async () => {
      const registry = await startDockerRegistry();
      const target = { url: `http://${registry}`, repository: 'team/app' };
      const where = { registry, repository: 'team/app' };
      const layer = sampleBytes(300_000);
      const pushed = await pushImage(target, 'v1', [layer]);
      const indexType = 'application/vnd.oci.image.index.v1+json';
      const index = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: indexType,
          manifests: [
            {
              mediaType: 'application/vnd.oci.image.manifest.v1+json',
              digest: pushed.digest,
              size: 500,
              platform: { os: 'linux', architecture: 'amd64' },
            },
          ],
        }),
      );
      const indexDigest = await pushManifest(target, 'multi', index, indexType);
      const puller = client();
      expect(await puller.resolveTag(where, 'v1')).toBe(pushed.digest);
      expect(await puller.resolveTag(where, 'multi')).toBe(indexDigest);
      expect(await puller.resolveTag(where, 'none')).toBeUndefined();
      const manifest = await puller.manifest(where, indexDigest);
      if (manifest === undefined) throw new Error('expected the index');
      expect(parseManifest(manifest)).toMatchObject({ kind: 'index', children: [{ digest: pushed.digest }] });
      expect(await puller.hasBlob(where, pushed.config)).toBe(true);
      expect(await puller.hasBlob({ registry, repository: 'other' }, pushed.config)).toBe(false);
      expect(await puller.hasManifest(where, pushed.digest)).toBe(true);
      const [digest] = pushed.layers;
      if (digest === undefined) throw new Error('expected a layer');
      expect(await puller.blob(where, digest, layer.byteLength)).toEqual(layer);
    });
  },
);

describe.skipIf(!isInstalled('skopeo'))(`skopeo${reason('skopeo')}`, () => {
  test('pushes to the local registry, copies within it, pulls and deletes', async () => {
    const registry = await startOciRegistry();
    open.push(() => registry.close());
    const { digest } = await pushImage({ url: registry.url, repository: 'seed' }, 'v1', [
      sampleBytes(200_000),
    ]);
    const folder = await temporaryFolder();
    const skopeo = (...words: string[]) => run('skopeo', words);
    const source = `docker://${registry.host}/seed:v1`;
    const copy = `docker://${registry.host}/team/copy:v2`;
    await skopeo(
      'copy',
      '-q',
      '--preserve-digests',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      source,
      copy,
    );
    await skopeo(
      'copy',
      '-q',
      '--preserve-digests',
      '--src-tls-verify=false',
      copy,
      `oci:${folder}/layout:v2`,
    );
    await skopeo(
      'copy',
      '--preserve-digests',
      '-q',
      '--dest-tls-verify=false',
      `oci:${folder}/layout:v2`,
      `docker://${registry.host}/back:v3`,
    );
    expect(await client().resolveTag({ registry: registry.host, repository: 'back' }, 'v3')).toBe(digest);
    const listed = await skopeo('list-tags', '--tls-verify=false', `docker://${registry.host}/back`);
    expect(JSON.parse(listed.stdout)).toMatchObject({ Tags: ['v3'] });
    await skopeo('delete', '--tls-verify=false', `docker://${registry.host}/back:v3`);
    expect(await client().resolveTag({ registry: registry.host, repository: 'back' }, 'v3')).toBeUndefined();
  });
});
