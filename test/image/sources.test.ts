/** Targets of the command line. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { choosePlatform, machinePlatform } from '../../shared/image/source.ts';
import { openTarget } from '../../shared/image/sources.ts';
import { startOciRegistry } from '../../shared/local/oci-registry.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { pushImage, sampleBytes } from '../support/registry-push.ts';
import { codeOf, digestOfStream, makeSourceFolder, type SourceFolder } from '../support/source-folder.ts';

let folder: SourceFolder;

beforeEach(async () => {
  folder = await makeSourceFolder();
});

afterEach(() => folder.remove());

describe('registry', () => {
  test('an image is found by tag and by digest', async () => {
    const registry = await startOciRegistry();
    try {
      const layer = sampleBytes(1_000);
      const pushed = await pushImage({ url: registry.url, repository: 'team/app' }, 'v1', [layer]);
      for (const name of [':v1', `@${pushed.digest}`, `:other@${pushed.digest}`]) {
        const source = await folder.open(`${registry.host}/team/app${name}`);
        expect(source.digest).toBe(pushed.digest);
        const [first] = (await source.record(pushed.digest)).layers;
        if (first === undefined) throw new Error('expected a layer');
        expect(await digestOfStream(await source.openLayer(first))).toBe(digestOf(layer));
      }
      expect(await codeOf(folder.open(`${registry.host}/team/app:v2`))).toBe('NOT_FOUND');
      expect(await codeOf(folder.open(`${registry.host}/team/app`))).toBe('NOT_FOUND');
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
        dockerConfigFolder: folder.path,
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
    const source = await folder.open(target.replace(':', `:${corpusPath}/`));
    expect(source.digest).toBe(digest);
    const record = await source.record(source.digest);
    expect(record.layers.map((layer) => layer.diffId)).toEqual([diffId]);
    for (const layer of record.layers) {
      expect(await digestOfStream(await source.openLayer(layer))).toBe(layer.digest);
    }
  });
});
