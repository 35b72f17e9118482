import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf, parseDigest } from '../../shared/domain/digest.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { maxLayers, maxManifestBytes, parseManifest } from '../../shared/image/manifest.ts';

const oci = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const docker = 'application/vnd.docker.distribution.manifest.v2+json';
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const dockerConfig = 'application/vnd.docker.container.image.v1+json';
const ociLayer = 'application/vnd.oci.image.layer.v1.tar+gzip';
const dockerLayer = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const empty = 'application/vnd.oci.empty.v1+json';
const inToto = 'application/vnd.in-toto+json';

const a = `sha256:${'a'.repeat(64)}`;
const b = `sha256:${'b'.repeat(64)}`;
const c = `sha256:${'c'.repeat(64)}`;

function descriptor(mediaType: string, digest = a, more: object = {}) {
  return { mediaType, digest, size: 10, ...more };
}

function image(configType = ociConfig, layerTypes: readonly string[] = [ociLayer], more: object = {}) {
  return {
    schemaVersion: 2,
    mediaType: oci,
    config: descriptor(configType, b),
    layers: layerTypes.map((type) => descriptor(type, c)),
    ...more,
  };
}

function index(manifests: readonly object[], more: object = {}) {
  return { schemaVersion: 2, mediaType: ociIndex, manifests, ...more };
}

function parse(body: unknown, mediaType = '') {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return parseManifest({ bytes, mediaType, digest: digestOf(bytes) });
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof PlimsollError) return error.code;
    throw error;
  }
  return 'no error';
}

test('an OCI image manifest gives its config and layers with sizes', () => {
  expect(parse(image())).toEqual({
    kind: 'image',
    mediaType: oci,
    config: { digest: b, mediaType: ociConfig, sizeBytes: 10 },
    layers: [{ digest: c, mediaType: ociLayer, sizeBytes: 10 }],
  });
});

test('a Docker schema 2 manifest is an image', () => {
  const body = image(dockerConfig, [dockerLayer], { mediaType: docker });
  expect(parse(body, docker)).toMatchObject({ kind: 'image', mediaType: docker });
});

test('an image without layers is an image', () => {
  expect(parse(image(ociConfig, []))).toMatchObject({ kind: 'image', layers: [] });
});

test('without mediaType in the body the content type counts, then the shape', () => {
  const body = image(ociConfig, [ociLayer], { mediaType: undefined });
  expect(parse(body, `${docker}; charset=utf-8`)).toMatchObject({ mediaType: docker });
  expect(parse(body, 'text/plain')).toMatchObject({ kind: 'image', mediaType: oci });
  expect(parse(index([], { mediaType: undefined }), '')).toMatchObject({
    kind: 'index',
    mediaType: ociIndex,
  });
});

test('an index gives images with their platforms, attestations with their subject, and the rest', () => {
  const attestation = {
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': a },
  };
  const parsed = parse(
    index([
      descriptor(oci, a, { platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }),
      descriptor(docker, b),
      descriptor(oci, c, attestation),
      descriptor(oci, c, {
        ...attestation,
        annotations: { 'vnd.docker.reference.type': 'something-new' },
      }),
      descriptor('application/vnd.example.thing+json', b),
      descriptor(ociIndex, b),
    ]),
  );
  expect(parsed).toMatchObject({
    kind: 'index',
    children: [
      { digest: a, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
      { digest: b, mediaType: docker },
      { digest: b, mediaType: ociIndex },
    ],
    attestations: [{ digest: c, subject: a }],
    others: [
      { digest: c, artifactType: 'something-new' },
      { digest: b, artifactType: 'application/vnd.example.thing+json' },
    ],
  });
});

test('an entry with a real platform is an image even if it says that it is an attestation', () => {
  const parsed = parse(
    index([
      descriptor(oci, a, {
        platform: { os: 'linux', architecture: 'amd64' },
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      }),
    ]),
  );
  expect(parsed).toMatchObject({ children: [{ digest: a }], attestations: [] });
});

test('a Docker manifest list is an index', () => {
  const body = index([descriptor(docker, a)], { mediaType: dockerList });
  expect(parse(body)).toMatchObject({ kind: 'index', mediaType: dockerList });
});

test.each([
  ['an attestation pushed alone', image(ociConfig, [inToto, inToto]), inToto],
  [
    'a legacy cosign signature',
    image(ociConfig, ['application/vnd.dev.cosign.simplesigning.v1+json']),
    'application/vnd.dev.cosign.simplesigning.v1+json',
  ],
  [
    'a Helm chart',
    image('application/vnd.cncf.helm.config.v1+json', [
      'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
    ]),
    'application/vnd.cncf.helm.config.v1+json',
  ],
  [
    'a Notation signature',
    image('application/vnd.cncf.notary.signature', ['application/jose+json']),
    'application/vnd.cncf.notary.signature',
  ],
  [
    'a sigstore bundle',
    image(empty, ['application/vnd.dev.sigstore.bundle.v0.3+json'], {
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    }),
    'application/vnd.dev.sigstore.bundle.v0.3+json',
  ],
  ['an empty config without image layers', image(empty, ['text/plain']), 'text/plain'],
  ['an empty config with its own content as a layer', image(empty, [empty]), empty],
  [
    'a Docker plugin',
    image('application/vnd.docker.plugin.v1+json', [dockerLayer]),
    'application/vnd.docker.plugin.v1+json',
  ],
])('%s is an artifact, not an image', (_name, body, artifactType) => {
  expect(parse(body)).toEqual({ kind: 'artifact', mediaType: oci, artifactType });
});

test.each([
  [
    'an artifactType on something that runs',
    image(ociConfig, [ociLayer], { artifactType: 'application/vnd.example' }),
  ],
  ['an attestation layer beside a real one', image(ociConfig, [inToto, ociLayer])],
  ['layers of an unknown type under an image config', image(ociConfig, ['application/x-unknown'])],
  ['a config type that Docker takes for an image', image('application/octet-stream', [dockerLayer])],
  ['an empty config over image layers', image(empty, [ociLayer])],
])('%s does not hide an image', (_name, body) => {
  expect(parse(body)).toMatchObject({ kind: 'image' });
});

test.each([
  ['schema 1', { schemaVersion: 1, name: 'x', tag: 'y', fsLayers: [] }, '', 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'schema 1 by content type',
    image(),
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'the withdrawn artifact manifest',
    { mediaType: 'application/vnd.oci.artifact.manifest.v1+json', blobs: [] },
    '',
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a type of its own',
    image(ociConfig, [], { mediaType: 'application/vnd.example+json' }),
    '',
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['manifests beside layers', { ...image(), manifests: [] }, '', 'INVALID_MANIFEST'],
  ['manifests beside a config', { ...index([]), config: descriptor(ociConfig) }, '', 'INVALID_MANIFEST'],
  ['an index that is an image inside', { ...image(), mediaType: ociIndex }, '', 'INVALID_MANIFEST'],
  ['an image that is an index inside', { ...index([]), mediaType: oci }, '', 'INVALID_MANIFEST'],
  ['a content type that differs from the body', image(), docker, 'INVALID_MANIFEST'],
  ['neither layers nor manifests', { schemaVersion: 2 }, '', 'INVALID_MANIFEST'],
  ['a second list of layers in another case', { ...image(), Layers: [] }, '', 'INVALID_MANIFEST'],
  ['a second list that Go folds to the same name', { ...image(), 'layer\u017f': [] }, '', 'INVALID_MANIFEST'],
  [
    'a second digest in a descriptor',
    image(ociConfig, [], { config: { ...descriptor(ociConfig), Digest: b } }),
    '',
    'INVALID_MANIFEST',
  ],
  [
    'a negative size',
    image(ociConfig, [], { config: { ...descriptor(ociConfig), size: -1 } }),
    '',
    'INVALID_MANIFEST',
  ],
  [
    'a fractional size',
    image(ociConfig, [], { config: { ...descriptor(ociConfig), size: 1.5 } }),
    '',
    'INVALID_MANIFEST',
  ],
  [
    'a digest of another algorithm',
    image(ociConfig, [], { config: descriptor(ociConfig, `sha512:${'a'.repeat(128)}`) }),
    '',
    'INVALID_DIGEST',
  ],
  [
    'a digest in upper case',
    image(ociConfig, [], { config: descriptor(ociConfig, `sha256:${'A'.repeat(64)}`) }),
    '',
    'INVALID_DIGEST',
  ],
  [
    'a digest with a path',
    image(ociConfig, [], { config: descriptor(ociConfig, 'sha256:../../etc') }),
    '',
    'INVALID_DIGEST',
  ],
  ['no JSON', '{', '', 'INVALID_MANIFEST'],
  ['an array', '[]', '', 'INVALID_MANIFEST'],
  ['null', 'null', '', 'INVALID_MANIFEST'],
  ['nesting without end', '['.repeat(100_000), '', 'TOO_LARGE'],
  ['too many layers', image(ociConfig, Array(maxLayers + 1).fill(ociLayer)), '', 'INVALID_MANIFEST'],
  [
    'so many values that parsing would cost gigabytes',
    `{"layers":[${Array(1_000_000).fill('{}').join()}]}`,
    '',
    'TOO_LARGE',
  ],
  ['too many levels', `{"x":${'['.repeat(101)}${']'.repeat(101)}}`, '', 'TOO_LARGE'],
  ['too many bytes', ' '.repeat(maxManifestBytes + 1), '', 'TOO_LARGE'],
])('%s is refused', (_name, body, mediaType, code) => {
  expect(codeOf(() => parse(body, mediaType))).toBe(code);
});

test('a key of the prototype is only a key', () => {
  const text = JSON.stringify(image()).replace('{', '{"__proto__":{"manifests":[]},"constructor":1,');
  expect(parse(text)).toMatchObject({ kind: 'image' });
});

test('whatever the bytes are, the parser answers or throws its own error', () => {
  const values = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({
        schemaVersion: fc.oneof(fc.constant(2), fc.jsonValue()),
        mediaType: fc.oneof(fc.constantFrom(oci, ociIndex, docker), fc.jsonValue()),
        config: fc.oneof(fc.constant(descriptor(ociConfig)), fc.jsonValue()),
        layers: fc.oneof(fc.array(fc.constant(descriptor(ociLayer))), fc.jsonValue()),
        manifests: fc.oneof(fc.constant(undefined), fc.jsonValue()),
      })
      .map((body) => Buffer.from(JSON.stringify(body))),
  );
  fc.assert(
    fc.property(values, (bytes) => {
      const digest = parseDigest(a);
      if (digest === undefined) throw new Error('the sample digest is none');
      try {
        expect(['image', 'index', 'artifact']).toContain(
          parseManifest({ bytes, mediaType: '', digest }).kind,
        );
      } catch (error) {
        expect(error).toBeInstanceOf(PlimsollError);
      }
    }),
  );
});
