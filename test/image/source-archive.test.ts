/** Images in archives, which the system's tar and gzip make. */
import { execFileSync } from 'node:child_process';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { sampleBytes } from '../support/registry-push.ts';
import { codeOf, digestOfStream, makeSourceFolder, type SourceFolder } from '../support/source-folder.ts';

let folder: SourceFolder;

beforeEach(async () => {
  folder = await makeSourceFolder();
});

afterEach(() => folder.remove());

describe('archives', () => {
  async function writeDockerSave(layers: readonly (readonly [string, Uint8Array])[], more: object = {}) {
    const config = JSON.stringify({
      os: 'linux',
      architecture: 'arm64',
      rootfs: { diff_ids: layers.map(([, bytes]) => digestOf(bytes)) },
      history: layers.map(([name]) => ({ created_by: `ADD ${name}` })),
    });
    await folder.write('save/config.json', config);
    for (const [name, bytes] of layers) await folder.write(`save/${name}`, bytes);
    const entry = {
      Config: 'config.json',
      RepoTags: ['app:v1'],
      Layers: layers.map(([name]) => name),
      ...more,
    };
    await folder.write('save/manifest.json', JSON.stringify([entry]));
    return digestOf(config);
  }

  test.each(['ustar', 'gnu', 'pax'])('docker save in the %s format, plain and gzipped', async (format) => {
    const longName = `${'a'.repeat(90)}/${'b'.repeat(90)}/layer.tar`;
    const layers = [
      ['one/layer.tar', sampleBytes(70_000, 'one')],
      [longName, sampleBytes(1_000, 'two')],
    ] as const;
    const id = await writeDockerSave(layers);
    const plain = folder.tar('image.tar', 'save', `--format=${format}`);
    execFileSync('gzip', ['-k', plain]);
    for (const target of [`docker-archive:${plain}`, `docker-archive:${plain}.gz`]) {
      const source = await folder.open(target);
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
    await folder.write('save/stored.tar', bytes);
    await rm(join(folder.path, 'save/one/layer.tar'));
    await symlink('../stored.tar', join(folder.path, 'save/one/layer.tar'));
    const source = await folder.open(`docker-archive:${folder.tar('image.tar', 'save')}`);
    expect((await source.record(id)).layers[0]?.digest).toBe(digestOf(bytes));
  });

  test.each(['/etc/passwd', '../../../etc/passwd', 'one/layer.tar'])(
    'a layer that is a link to %s is not there',
    async (target) => {
      await writeDockerSave([['one/layer.tar', sampleBytes(10)]]);
      await rm(join(folder.path, 'save/one/layer.tar'));
      await symlink(
        target === 'one/layer.tar' ? 'layer.tar' : target,
        join(folder.path, 'save/one/layer.tar'),
      );
      expect(await codeOf(folder.open(`docker-archive:${folder.tar('image.tar', 'save')}`))).toBe(
        'INVALID_INPUT',
      );
    },
  );

  test('an OCI layout in an archive is read as one', async () => {
    const a = await folder.writeImage('layout', 'amd64');
    await folder.writeIndex('layout', [a]);
    const source = await folder.open(`oci-archive:${folder.tar('image.tar', 'layout')}`);
    expect(source.digest).toBe(a.digest);
    const [layer] = (await source.record(a.digest)).layers;
    if (layer === undefined) throw new Error('expected a layer');
    expect(await digestOfStream(await source.openLayer(layer))).toBe(layer.digest);
  });

  test('a cut archive is told apart from a whole one', async () => {
    await writeDockerSave([['one/layer.tar', sampleBytes(70_000)]]);
    const plain = folder.tar('image.tar', 'save');
    execFileSync('gzip', ['-k', plain]);
    execFileSync('truncate', ['-s', '-30000', plain]);
    execFileSync('truncate', ['-s', '-30000', `${plain}.gz`]);
    expect(await codeOf(folder.open(`docker-archive:${plain}`))).toBe('INVALID_INPUT');
    expect(await codeOf(folder.open(`docker-archive:${plain}.gz`))).toBe('INVALID_INPUT');
  });

  test.each([
    ['no archive', 'hello', 'INVALID_INPUT'],
    ['nothing', '', 'INVALID_INPUT'],
    ['zeros', Buffer.alloc(10_240), 'INVALID_INPUT'],
    ['no gzip after its first bytes', Buffer.from([0x1f, 0x8b, 0, 0, 0]), 'INVALID_INPUT'],
  ])('a file with %s is refused', async (_name, content, code) => {
    await folder.write('file', content);
    expect(await codeOf(folder.open(`docker-archive:${folder.path}/file`))).toBe(code);
    expect(await codeOf(folder.open(`oci-archive:${folder.path}/file`))).toBe(code);
  });

  test('two images in one archive have to be saved apart', async () => {
    await writeDockerSave([]);
    await folder.write(
      'save/manifest.json',
      '[{"Config":"config.json","Layers":[]},{"Config":"config.json","Layers":[]}]',
    );
    await expect(folder.open(`docker-archive:${folder.tar('image.tar', 'save')}`)).rejects.toThrow(
      /2 images/,
    );
  });
});
