/** Images of OCI layouts. */
import { execFileSync } from 'node:child_process';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleBytes } from '../support/registry-push.ts';
import {
  codeOf,
  digestOfStream,
  makeSourceFolder,
  ociIndexType,
  ociManifestType,
  type SourceFolder,
} from '../support/source-folder.ts';

let folder: SourceFolder;

beforeEach(async () => {
  folder = await makeSourceFolder();
});

afterEach(() => folder.remove());

function named(name: string): object {
  return { annotations: { 'org.opencontainers.image.ref.name': name } };
}

describe('oci', () => {
  test('a tag is found by its name, and the only image without one', async () => {
    const a = await folder.writeImage('layout', 'amd64');
    await folder.writeIndex('layout', [{ ...a, ...named('a') }]);
    for (const target of [`oci:${folder.path}/layout:a`, `oci:${folder.path}/layout`]) {
      const source = await folder.open(target);
      expect(source).toMatchObject({ reference: target, digest: a.digest, issues: [] });
      expect(await source.images()).toEqual([
        { digest: a.digest, mediaType: ociManifestType, platform: { os: 'linux', architecture: 'amd64' } },
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
    const a = await folder.writeImage('lay:out', 'amd64');
    await folder.writeIndex('lay:out', [{ ...a, ...named('a') }]);
    expect((await folder.open(`oci:${folder.path}/lay:out`)).digest).toBe(a.digest);
    expect((await folder.open(`oci:${folder.path}/lay:out:a`)).digest).toBe(a.digest);
  });

  test('of several names one has to be chosen, and the message lists them', async () => {
    const a = await folder.writeImage('layout', 'amd64');
    const b = await folder.writeImage('layout', 'arm64');
    await folder.writeIndex('layout', [
      { ...a, ...named('a') },
      { ...b, ...named('b') },
    ]);
    await expect(folder.open(`oci:${folder.path}/layout`)).rejects.toThrow(/a, b/);
    expect(await codeOf(folder.open(`oci:${folder.path}/layout:c`))).toBe('INVALID_REFERENCE');
    expect((await folder.open(`oci:${folder.path}/layout:b`)).digest).toBe(b.digest);
  });

  test('an index gives an image for each platform and no attestation', async () => {
    const children = [await folder.writeImage('layout', 'amd64'), await folder.writeImage('layout', 'arm64')];
    const attestation = {
      ...children[0],
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: ociIndexType,
      manifests: [...children, attestation],
    });
    const written = await folder.writeBlob('layout', index);
    await folder.writeIndex('layout', [{ mediaType: ociIndexType, ...written }]);
    const source = await folder.open(`oci:${folder.path}/layout`);
    expect(source.digest).toBe(written.digest);
    // No platform stands in this index, so the configs say it.
    expect((await source.images()).map((image) => image.platform.architecture)).toEqual(['amd64', 'arm64']);
  });

  test('images without names are chosen from by platform', async () => {
    await folder.writeIndex('layout', [
      await folder.writeImage('layout', 'amd64'),
      await folder.writeImage('layout', 'arm64'),
    ]);
    expect(await (await folder.open(`oci:${folder.path}/layout`)).images()).toHaveLength(2);
  });

  test('an artifact is no image', async () => {
    const config = await folder.writeBlob('layout', '{}');
    const manifest = JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', ...config },
      layers: [],
    });
    await folder.writeIndex('layout', [
      { mediaType: ociManifestType, ...(await folder.writeBlob('layout', manifest)) },
    ]);
    const source = await folder.open(`oci:${folder.path}/layout`);
    await expect(source.images()).rejects.toThrow(/application\/vnd.cncf.helm.config.v1\+json/);
  });

  test('an index that names itself ends', async () => {
    const deep = async (depth: number): Promise<{ digest: string; size: number }> =>
      folder.writeBlob(
        'layout',
        JSON.stringify({
          schemaVersion: 2,
          mediaType: ociIndexType,
          manifests: depth === 0 ? [] : [{ mediaType: ociIndexType, ...(await deep(depth - 1)) }],
        }),
      );
    await folder.writeIndex('layout', [{ mediaType: ociIndexType, ...(await deep(10)) }]);
    expect(await codeOf((await folder.open(`oci:${folder.path}/layout`)).images())).toBe('INVALID_MANIFEST');
  });

  test('a blob whose bytes do not fit its name is refused', async () => {
    const a = await folder.writeImage('layout', 'amd64');
    await folder.writeIndex('layout', [a]);
    await folder.write(`layout/blobs/sha256/${a.digest.slice(7)}`, '{}');
    expect(await codeOf(folder.open(`oci:${folder.path}/layout`))).toBe('DIGEST_MISMATCH');
  });

  test('a link that leads out of the layout is not followed, one inside it is', async () => {
    const layer = sampleBytes(100);
    const a = await folder.writeImage('layout', 'amd64', layer);
    await folder.writeIndex('layout', [a]);
    const source = await folder.open(`oci:${folder.path}/layout`);
    const [first] = (await source.record(a.digest)).layers;
    if (first === undefined) throw new Error('expected a layer');
    const path = join(folder.path, 'layout/blobs/sha256', first.digest.slice(7));
    await rm(path);
    await folder.write('layout/moved', layer);
    await symlink('../../moved', path);
    expect(await digestOfStream(await source.openLayer(first))).toBe(first.digest);
    await rm(path);
    await folder.write('outside', layer);
    await symlink(join(folder.path, 'outside'), path);
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
    await folder.write('layout/index.json', content);
    expect(await codeOf(folder.open(`oci:${folder.path}/layout`))).toBe(code);
  });
});
