/** Targets of the command line; archives are made by the system's tar and gzip. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { choosePlatform, type ImageSource, machinePlatform } from '../../shared/image/source.ts';
import { openTarget } from '../../shared/image/sources.ts';
import { startOciRegistry } from '../../shared/local/oci-registry.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { pushImage, sampleBytes } from '../support/registry-push.ts';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';

let folder: string;
const open: ImageSource[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plimsoll-test-'));
});

afterEach(async () => {
  for (const source of open.splice(0)) await source.close();
  await rm(folder, { recursive: true, force: true });
});

async function openSource(target: string): Promise<ImageSource> {
  const source = await openTarget(target, { dockerConfigFolder: join(folder, 'no-docker') });
  open.push(source);
  return source;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PlimsollError) return error.code;
    throw error;
  }
  return 'no error';
}

async function digestOfStream(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), content);
}

async function writeBlob(layout: string, content: string | Uint8Array) {
  const digest = digestOf(content);
  await write(`${layout}/blobs/sha256/${digest.slice(7)}`, content);
  return { digest, size: Buffer.byteLength(content) };
}

async function writeImage(layout: string, architecture: string, layer = sampleBytes(50_000, architecture)) {
  const config = await writeBlob(
    layout,
    JSON.stringify({ os: 'linux', architecture, rootfs: { diff_ids: [digestOf(layer)] } }),
  );
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await writeBlob(layout, layer)) }],
  });
  return { mediaType: ociManifest, ...(await writeBlob(layout, manifest)) };
}

async function writeIndex(layout: string, manifests: readonly object[]): Promise<void> {
  await write(`${layout}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
  await write(`${layout}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }));
}

function named(name: string): object {
  return { annotations: { 'org.opencontainers.image.ref.name': name } };
}

describe('oci', () => {
  test('a tag is found by its name, and the only image without one', async () => {
    const a = await writeImage('layout', 'amd64');
    await writeIndex('layout', [{ ...a, ...named('a') }]);
    for (const target of [`oci:${folder}/layout:a`, `oci:${folder}/layout`]) {
      const source = await openSource(target);
      expect(source).toMatchObject({ reference: target, digest: a.digest, issues: [] });
      expect(await source.images()).toEqual([
        { digest: a.digest, mediaType: ociManifest, platform: { os: 'linux', architecture: 'amd64' } },
      ]);
      const record = await source.record(a.digest);
      for (const layer of record.layers) {
        expect(await digestOfStream(await source.openLayer(layer))).toBe(layer.digest);
        expect(await digestOfStream(await source.openLayer(layer))).toBe(layer.diffId);
      }
      expect(record.layers).toHaveLength(1);
    }
  });

  test('a colon in the name of the folder is a part of it where there is such a folder', async () => {
    const a = await writeImage('lay:out', 'amd64');
    await writeIndex('lay:out', [{ ...a, ...named('a') }]);
    expect((await openSource(`oci:${folder}/lay:out`)).digest).toBe(a.digest);
    expect((await openSource(`oci:${folder}/lay:out:a`)).digest).toBe(a.digest);
  });

  test('of several names one has to be chosen, and the message lists them', async () => {
    const a = await writeImage('layout', 'amd64');
    const b = await writeImage('layout', 'arm64');
    await writeIndex('layout', [
      { ...a, ...named('a') },
      { ...b, ...named('b') },
    ]);
    await expect(openSource(`oci:${folder}/layout`)).rejects.toThrow(/a, b/);
    expect(await codeOf(openSource(`oci:${folder}/layout:c`))).toBe('INVALID_REFERENCE');
    expect((await openSource(`oci:${folder}/layout:b`)).digest).toBe(b.digest);
  });

  test('an index gives an image for each platform and no attestation', async () => {
    const children = [await writeImage('layout', 'amd64'), await writeImage('layout', 'arm64')];
    const attestation = {
      ...children[0],
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [...children, attestation],
    });
    const written = await writeBlob('layout', index);
    await writeIndex('layout', [{ mediaType: ociIndex, ...written }]);
    const source = await openSource(`oci:${folder}/layout`);
    expect(source.digest).toBe(written.digest);
    // No platform stands in this index, so the configs say it.
    expect((await source.images()).map((image) => image.platform.architecture)).toEqual(['amd64', 'arm64']);
  });

  test('images without names are chosen from by platform', async () => {
    await writeIndex('layout', [await writeImage('layout', 'amd64'), await writeImage('layout', 'arm64')]);
    expect(await (await openSource(`oci:${folder}/layout`)).images()).toHaveLength(2);
  });

  test('an artifact is no image', async () => {
    const config = await writeBlob('layout', '{}');
    const manifest = JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', ...config },
      layers: [],
    });
    await writeIndex('layout', [{ mediaType: ociManifest, ...(await writeBlob('layout', manifest)) }]);
    const source = await openSource(`oci:${folder}/layout`);
    await expect(source.images()).rejects.toThrow(/application\/vnd.cncf.helm.config.v1\+json/);
  });

  test('an index that names itself ends', async () => {
    const deep = async (depth: number): Promise<{ digest: string; size: number }> =>
      writeBlob(
        'layout',
        JSON.stringify({
          schemaVersion: 2,
          mediaType: ociIndex,
          manifests: depth === 0 ? [] : [{ mediaType: ociIndex, ...(await deep(depth - 1)) }],
        }),
      );
    await writeIndex('layout', [{ mediaType: ociIndex, ...(await deep(10)) }]);
    expect(await codeOf((await openSource(`oci:${folder}/layout`)).images())).toBe('INVALID_MANIFEST');
  });

  test('a blob whose bytes do not fit its name is refused', async () => {
    const a = await writeImage('layout', 'amd64');
    await writeIndex('layout', [a]);
    await write(`layout/blobs/sha256/${a.digest.slice(7)}`, '{}');
    expect(await codeOf(openSource(`oci:${folder}/layout`))).toBe('DIGEST_MISMATCH');
  });

  test('a link that leads out of the layout is not followed, one inside it is', async () => {
    const layer = sampleBytes(100);
    const a = await writeImage('layout', 'amd64', layer);
    await writeIndex('layout', [a]);
    const source = await openSource(`oci:${folder}/layout`);
    const [first] = (await source.record(a.digest)).layers;
    if (first === undefined) throw new Error('expected a layer');
    const path = join(folder, 'layout/blobs/sha256', first.digest.slice(7));
    await rm(path);
    await write('layout/moved', layer);
    await symlink('../../moved', path);
    expect(await digestOfStream(await source.openLayer(first))).toBe(first.digest);
    await rm(path);
    await write('outside', layer);
    await symlink(join(folder, 'outside'), path);
    expect(await codeOf(source.openLayer(first))).toBe('INVALID_INPUT');
    await rm(path);
    execFileSync('mkfifo', [path]);
    expect(await codeOf(source.openLayer(first))).toBe('INVALID_INPUT');
    await rm(path);
    expect(await codeOf(source.openLayer(first))).toBe('NOT_FOUND');
  });

  test.each([
    ['{', 'INVALID_INPUT'],
    ['{"manifests":{}}', 'INVALID_INPUT'],
    ['{"manifests":[]}', 'INVALID_REFERENCE'],
    ['{"manifests":[{"digest":"sha256:../../../etc/passwd"}]}', 'INVALID_DIGEST'],
    [`{"manifests":[{"digest":"sha256:${'a'.repeat(64)}"}]}`, 'NOT_FOUND'],
  ])('index.json %s is %s', async (content, code) => {
    await write('layout/index.json', content);
    expect(await codeOf(openSource(`oci:${folder}/layout`))).toBe(code);
  });
});

describe('archives', () => {
  async function writeDockerSave(layers: readonly (readonly [string, Uint8Array])[], more: object = {}) {
    const config = JSON.stringify({
      os: 'linux',
      architecture: 'arm64',
      rootfs: { diff_ids: layers.map(([, bytes]) => digestOf(bytes)) },
      history: layers.map(([name]) => ({ created_by: `ADD ${name}` })),
    });
    await write('save/config.json', config);
    for (const [name, bytes] of layers) await write(`save/${name}`, bytes);
    const entry = {
      Config: 'config.json',
      RepoTags: ['app:v1'],
      Layers: layers.map(([name]) => name),
      ...more,
    };
    await write('save/manifest.json', JSON.stringify([entry]));
    return digestOf(config);
  }

  function tar(name: string, from: string, ...flags: string[]): string {
    execFileSync('tar', ['-C', join(folder, from), ...flags, '-cf', join(folder, name), '.']);
    return join(folder, name);
  }

  test.each(['ustar', 'gnu', 'pax'])('docker save in the %s format, plain and gzipped', async (format) => {
    const longName = `${'a'.repeat(90)}/${'b'.repeat(90)}/layer.tar`;
    const layers = [
      ['one/layer.tar', sampleBytes(70_000, 'one')],
      [longName, sampleBytes(1_000, 'two')],
    ] as const;
    const id = await writeDockerSave(layers);
    const plain = tar('image.tar', 'save', `--format=${format}`);
    execFileSync('gzip', ['-k', plain]);
    for (const target of [`docker-archive:${plain}`, `docker-archive:${plain}.gz`]) {
      const source = await openSource(target);
      expect(source.digest).toBe(id);
      const record = await source.record(id);
      expect(record).toMatchObject({
        platform: { os: 'linux', architecture: 'arm64' },
        sizeBytes: 71_000,
        layers: layers.map(([name, bytes]) => ({
          digest: digestOf(bytes),
          diffId: digestOf(bytes),
          sizeBytes: bytes.byteLength,
          createdBy: `ADD ${name}`,
        })),
      });
      for (const layer of record.layers) {
        expect(await digestOfStream(await source.openLayer(layer))).toBe(layer.digest);
      }
    }
  });

  test('a layer that is a link to another file of the archive is that file', async () => {
    const bytes = sampleBytes(5_000);
    const id = await writeDockerSave([['one/layer.tar', bytes]]);
    await write('save/stored.tar', bytes);
    await rm(join(folder, 'save/one/layer.tar'));
    await symlink('../stored.tar', join(folder, 'save/one/layer.tar'));
    const source = await openSource(`docker-archive:${tar('image.tar', 'save')}`);
    expect((await source.record(id)).layers[0]?.digest).toBe(digestOf(bytes));
  });

  test.each(['/etc/passwd', '../../../etc/passwd', 'one/layer.tar'])(
    'a layer that is a link to %s is not there',
    async (target) => {
      await writeDockerSave([['one/layer.tar', sampleBytes(10)]]);
      await rm(join(folder, 'save/one/layer.tar'));
      await symlink(target === 'one/layer.tar' ? 'layer.tar' : target, join(folder, 'save/one/layer.tar'));
      expect(await codeOf(openSource(`docker-archive:${tar('image.tar', 'save')}`))).toBe('INVALID_INPUT');
    },
  );

  test('an OCI layout in an archive is read as one', async () => {
    const a = await writeImage('layout', 'amd64');
    await writeIndex('layout', [a]);
    const source = await openSource(`oci-archive:${tar('image.tar', 'layout')}`);
    expect(source.digest).toBe(a.digest);
    const [layer] = (await source.record(a.digest)).layers;
    if (layer === undefined) throw new Error('expected a layer');
    expect(await digestOfStream(await source.openLayer(layer))).toBe(layer.digest);
  });

  test('a cut archive is told apart from a whole one', async () => {
    await writeDockerSave([['one/layer.tar', sampleBytes(70_000)]]);
    const plain = tar('image.tar', 'save');
    execFileSync('gzip', ['-k', plain]);
    execFileSync('truncate', ['-s', '-30000', plain]);
    execFileSync('truncate', ['-s', '-30000', `${plain}.gz`]);
    expect(await codeOf(openSource(`docker-archive:${plain}`))).toBe('INVALID_INPUT');
    expect(await codeOf(openSource(`docker-archive:${plain}.gz`))).toBe('INVALID_INPUT');
  });

  test.each([
    ['no archive', 'hello', 'INVALID_INPUT'],
    ['nothing', '', 'INVALID_INPUT'],
    ['zeros', Buffer.alloc(10_240), 'INVALID_INPUT'],
    ['no gzip after its first bytes', Buffer.from([0x1f, 0x8b, 0, 0, 0]), 'INVALID_INPUT'],
  ])('a file with %s is refused', async (_name, content, code) => {
    await write('file', content);
    expect(await codeOf(openSource(`docker-archive:${folder}/file`))).toBe(code);
    expect(await codeOf(openSource(`oci-archive:${folder}/file`))).toBe(code);
  });

  test('two images in one archive have to be saved apart', async () => {
    await writeDockerSave([]);
    await write(
      'save/manifest.json',
      '[{"Config":"config.json","Layers":[]},{"Config":"config.json","Layers":[]}]',
    );
    await expect(openSource(`docker-archive:${tar('image.tar', 'save')}`)).rejects.toThrow(/2 images/);
  });
});

describe('dir', () => {
  test('the folder becomes a tar archive that tar itself reads', async () => {
    await write('root/etc/os-release', 'ID=test\n');
    await write(`root/${'d'.repeat(80)}/${'e'.repeat(80)}/file`, sampleBytes(700));
    await write('root/usr/empty', '');
    await write('root/proc/kcore', 'must not be read');
    await symlink('../../../../etc/passwd', join(folder, 'root/link'));
    await symlink('x'.repeat(150), join(folder, 'root/long-link'));
    execFileSync('mkfifo', [join(folder, 'root/pipe')]);
    const source = await openSource(`dir:${folder}/root`);
    const [image] = await source.images();
    const record = await source.record(source.digest);
    const [layer] = record.layers;
    if (layer === undefined) throw new Error('expected a layer');
    expect(image?.digest).toBe(source.digest);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await source.openLayer(layer)) chunks.push(chunk);
    const archive = Buffer.concat(chunks);
    expect(digestOf(archive)).toBe(layer.digest);
    expect(archive.byteLength).toBe(layer.sizeBytes);
    await mkdir(join(folder, 'out'));
    execFileSync('tar', ['-C', join(folder, 'out'), '-xf', '-'], { input: archive });
    await rm(join(folder, 'root/proc/kcore'));
    expect(() =>
      execFileSync('diff', ['-r', '--no-dereference', join(folder, 'root/etc'), join(folder, 'out/etc')]),
    ).not.toThrow();
    const listing = execFileSync('tar', ['-tf', '-'], { input: archive, encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(listing).toEqual([
      `${'d'.repeat(80)}/`,
      `${'d'.repeat(80)}/${'e'.repeat(80)}/`,
      `${'d'.repeat(80)}/${'e'.repeat(80)}/file`,
      'etc/',
      'etc/os-release',
      'link',
      'long-link',
      'pipe',
      'proc/',
      'usr/',
      'usr/empty',
    ]);
  });

  test('the same files give the same digest, other content another one', async () => {
    await write('root/a', 'a');
    const first = (await openSource(`dir:${folder}/root`)).digest;
    await write('root/a', 'a');
    expect((await openSource(`dir:${folder}/root`)).digest).toBe(first);
    await write('root/a', 'b');
    expect((await openSource(`dir:${folder}/root`)).digest).not.toBe(first);
  });

  test.skipIf(process.getuid?.() === 0)(
    'what may not be read is an issue (skipped as root, who may read all)',
    async () => {
      await write('root/secret', 'x');
      await chmod(join(folder, 'root/secret'), 0);
      expect((await openSource(`dir:${folder}/root`)).issues).toMatchObject([
        { code: 'UNREADABLE_FILE', path: 'secret' },
      ]);
    },
  );

  test('a name that is no UTF-8 is an issue and not left out in silence', async () => {
    await write('root/fine', 'x');
    await writeFile(Buffer.concat([Buffer.from(join(folder, 'root/bad-')), Buffer.from([0xff])]), 'x');
    expect((await openSource(`dir:${folder}/root`)).issues).toMatchObject([{ code: 'UNREADABLE_FILE' }]);
  });
});

describe('registry', () => {
  test('an image is found by tag and by digest', async () => {
    const registry = await startOciRegistry();
    try {
      const layer = sampleBytes(1_000);
      const pushed = await pushImage({ url: registry.url, repository: 'team/app' }, 'v1', [layer]);
      for (const name of [':v1', `@${pushed.digest}`, `:other@${pushed.digest}`]) {
        const source = await openSource(`${registry.host}/team/app${name}`);
        expect(source.digest).toBe(pushed.digest);
        const [first] = (await source.record(pushed.digest)).layers;
        if (first === undefined) throw new Error('expected a layer');
        expect(await digestOfStream(await source.openLayer(first))).toBe(digestOf(layer));
      }
      expect(await codeOf(openSource(`${registry.host}/team/app:v2`))).toBe('NOT_FOUND');
      expect(await codeOf(openSource(`${registry.host}/team/app`))).toBe('NOT_FOUND');
    } finally {
      await registry.close();
    }
  });
});

test.each([
  ['oci:', 'INVALID_REFERENCE'],
  ['dir:/no/such/folder', 'NOT_FOUND'],
  ['oci:/no/such/folder:tag', 'NOT_FOUND'],
  ['docker-archive:/no/such/file', 'NOT_FOUND'],
  ['docker-archive:/', 'INVALID_INPUT'],
  ['sbom:file.json', 'INVALID_REFERENCE'],
  ['alpine', 'INVALID_REFERENCE'],
  ['', 'INVALID_REFERENCE'],
  ['127.0.0.1:1/a', 'REGISTRY_UNREACHABLE'],
])('the target "%s" is %s', async (target, code) => {
  expect(
    await codeOf(
      openTarget(target, {
        dockerConfigFolder: folder,
        registry: { retry: { attempts: 1, baseDelayMs: 1, maxDelayMs: 1 } },
      }),
    ),
  ).toBe(code);
});

describe('choosing a platform', () => {
  const amd64 = { platform: { os: 'linux', architecture: 'amd64' } };
  const armv6 = { platform: { os: 'linux', architecture: 'arm', variant: 'v6' } };
  const armv7 = { platform: { os: 'linux', architecture: 'arm', variant: 'v7' } };
  const windows = { platform: { os: 'windows', architecture: 'amd64' } };
  const machine = machinePlatform('x64');

  test("the one asked for, else this machine's, else the only one", () => {
    const all = [windows, armv6, armv7, amd64];
    expect(choosePlatform(all, { os: 'linux', architecture: 'arm', variant: 'v7' }, machine)).toBe(armv7);
    expect(choosePlatform(all, { os: 'linux', architecture: 'arm' }, machine)).toBe(armv6);
    expect(choosePlatform(all, undefined, machine)).toBe(amd64);
    expect(choosePlatform([windows], undefined, machine)).toBe(windows);
  });

  test('where none fits the error names what there is', () => {
    const choose = (wanted?: { os: string; architecture: string }) => () =>
      choosePlatform([windows, armv7], wanted, machine);
    expect(choose()).toThrow(/windows\/amd64, linux\/arm\/v7/);
    expect(choose({ os: 'linux', architecture: 's390x' })).toThrow(
      expect.objectContaining({ code: 'PLATFORM_REQUIRED' }),
    );
    expect(() => choosePlatform([windows], amd64.platform, machine)).toThrow(/windows\/amd64/);
  });
});

describe.skipIf(!hasCorpus)(`the corpus' Alpine image${corpusReason}`, () => {
  // Expected: sha256sum of the blobs, and config and diff id as skopeo inspect prints them.
  const diffId = 'sha256:03901b4a2ea88eeaad62dbe59b072b28b6efa00491962b8741081c5df50c65e0';

  test.each([
    [
      'oci:images/alpine-3.10.2-oci',
      'sha256:03bdda97904ebcf70d8d274569c5bd46313ebfb67f4acc8f47c607433ca0a29f',
    ],
    [
      'docker-archive:images/alpine-3.10.2.docker.tar.gz',
      'sha256:961769676411f082461f9ef46626dd7a2d1e2b2a38e6a44364bcbecf51e66dd4',
    ],
  ])('%s', async (target, digest) => {
    const source = await openSource(target.replace(':', `:${corpusPath}/`));
    expect(source.digest).toBe(digest);
    const record = await source.record(source.digest);
    expect(record.layers.map((layer) => layer.diffId)).toEqual([diffId]);
    for (const layer of record.layers) {
      expect(await digestOfStream(await source.openLayer(layer))).toBe(layer.digest);
    }
  });
});
