import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Digest, digestOf, requireDigest } from '../../shared/domain/digest.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { maxConfigBytes, maxCreatedByLength, parseImageConfig } from '../../shared/image/config.ts';
import { type ImageManifest, parseManifest } from '../../shared/image/manifest.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';

const digests = ['a', 'b', 'c', 'd'].map((letter) => requireDigest(`sha256:${letter.repeat(64)}`, 'test'));
const [first, second, third, own] = digests as [Digest, Digest, Digest, Digest];

const manifest: ImageManifest = {
  kind: 'image',
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { digest: third, mediaType: 'application/vnd.oci.image.config.v1+json', sizeBytes: 1 },
  layers: [
    { digest: first, mediaType: 'application/vnd.oci.image.layer.v1.tar', sizeBytes: 10 },
    { digest: second, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', sizeBytes: 32 },
  ],
};

function parse(config: unknown) {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  return parseImageConfig(Buffer.from(text), manifest, own);
}

test('entries of the history that made no layer are passed over', () => {
  const record = parse({
    os: 'linux',
    architecture: 'arm64',
    variant: 'v8',
    rootfs: { type: 'layers', diff_ids: [third, own] },
    history: [
      { created_by: 'ADD rootfs' },
      { created_by: 'ENV A=b', empty_layer: true },
      { created_by: 'RUN make' },
    ],
  });
  expect(record).toEqual({
    digest: own,
    mediaType: manifest.mediaType,
    configDigest: third,
    platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    sizeBytes: 42,
    layers: [
      { ...manifest.layers[0], diffId: third, createdBy: 'ADD rootfs' },
      { ...manifest.layers[1], diffId: own, createdBy: 'RUN make' },
    ],
  });
});

test.each([
  ['nothing at all', {}],
  ['nulls', { os: null, rootfs: null, history: null }],
  ['other types', { os: 1, architecture: [], rootfs: 'x', history: {} }],
  ['an empty rootfs', { rootfs: {} }],
  ['diff ids that are none', { rootfs: { diff_ids: ['x', 7] } }],
  ['a platform of control characters', { os: 'lin\nux', architecture: 'amd64' }],
])('a config with %s leaves out what it does not say', (_name, config) => {
  const record = parse(config);
  expect(record.platform).toEqual({ os: 'unknown', architecture: 'unknown' });
  expect(record.layers).toEqual(manifest.layers);
});

test('fewer diff ids than layers leave the last layers without one', () => {
  const record = parse({ rootfs: { diff_ids: [third] }, history: [null, 3, { created_by: 4 }] });
  expect(record.layers.map((layer) => layer.diffId)).toEqual([third, undefined]);
});

test('a long command is cut', () => {
  const record = parse({ history: [{ created_by: 'x'.repeat(5_000) }] });
  expect(record.layers[0]?.createdBy).toHaveLength(maxCreatedByLength);
});

test.each([
  ['no JSON', '{', 'INVALID_MANIFEST'],
  ['an array', '[]', 'INVALID_MANIFEST'],
  ['a number', '1', 'INVALID_MANIFEST'],
  [
    'so many values that parsing would cost gigabytes',
    `{"history":[${Array(1_000_000).fill('{}').join()}]}`,
    'TOO_LARGE',
  ],
  ['too many bytes', ' '.repeat(maxConfigBytes + 1), 'TOO_LARGE'],
])('%s is refused', (_name, text, code) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code, constructor: PlimsollError }));
});

describe.skipIf(!hasCorpus)(`a real image${corpusReason}`, () => {
  // Expected: skopeo inspect --raw / --config oci:alpine-3.10.2-oci:latest
  test('has the platform, diff id and command that skopeo prints', async () => {
    const folder = join(corpusPath, 'images/alpine-3.10.2-oci/blobs/sha256');
    const digest = 'sha256:03bdda97904ebcf70d8d274569c5bd46313ebfb67f4acc8f47c607433ca0a29f';
    const bytes = await readFile(join(folder, digest.slice(7)));
    const parsed = parseManifest({ bytes, mediaType: '', digest: digestOf(bytes) });
    if (parsed.kind !== 'image') throw new Error('expected an image');
    const config = await readFile(join(folder, parsed.config.digest.slice(7)));
    expect(parseImageConfig(config, parsed, digestOf(bytes))).toMatchObject({
      digest,
      platform: { os: 'linux', architecture: 'amd64' },
      sizeBytes: 2_886_594,
      layers: [
        {
          digest: 'sha256:bb6b46d16e58dbf20dacaeae92aa0d7418ef71a3f80de2b812b3ebf5318b7071',
          diffId: 'sha256:03901b4a2ea88eeaad62dbe59b072b28b6efa00491962b8741081c5df50c65e0',
          createdBy: expect.stringContaining('ADD file:fe64057fbb83d'),
        },
      ],
    });
  });
});
