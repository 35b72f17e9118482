/** Media types of manifests, configs and layers (image-spec media-types.md; Docker image manifest v2, schema 2). */

export const ociIndexType = 'application/vnd.oci.image.index.v1+json';
export const ociManifestType = 'application/vnd.oci.image.manifest.v1+json';
export const dockerListType = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const dockerManifestType = 'application/vnd.docker.distribution.manifest.v2+json';
export const ociConfigType = 'application/vnd.oci.image.config.v1+json';
export const dockerConfigType = 'application/vnd.docker.container.image.v1+json';
export const ociEmptyType = 'application/vnd.oci.empty.v1+json';

/** What a pull asks for: all four, always, for a registry may convert or refuse what is not named. */
export const acceptedManifestTypes: readonly string[] = [
  ociIndexType,
  ociManifestType,
  dockerListType,
  dockerManifestType,
];

export function isIndexType(mediaType: string): boolean {
  return mediaType === ociIndexType || mediaType === dockerListType;
}

export function isImageManifestType(mediaType: string): boolean {
  return mediaType === ociManifestType || mediaType === dockerManifestType;
}

/** Types that are known and refused: schema 1 in both forms, and OCI's artifact manifest, withdrawn before 1.1. */
export const refusedManifestTypes: ReadonlyMap<string, string> = new Map([
  ['application/vnd.docker.distribution.manifest.v1+json', 'Docker manifest schema 1'],
  ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'signed Docker manifest schema 1'],
  ['application/vnd.oci.artifact.manifest.v1+json', 'the withdrawn OCI artifact manifest'],
]);

/** Config types that runtimes run as an image. Docker takes the last ones for images too, since some builders wrote
 *  them, so whoever skipped them would skip something that runs. */
const imageConfigTypes: ReadonlySet<string> = new Set([
  ociConfigType,
  dockerConfigType,
  'application/octet-stream',
  'application/json',
  'text/html',
  '',
]);

export function isImageConfigType(mediaType: string): boolean {
  return imageConfigTypes.has(mediaType);
}

/** Whether the type is one of a file system layer, distributable or not. */
export function isImageLayerType(mediaType: string): boolean {
  return imageLayerPattern.test(mediaType);
}

const imageLayerPattern =
  /^application\/(?:vnd\.oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+gzip|\+zstd)?|vnd\.docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.gzip|\.zstd)?)$/;

/** Layer types that no runtime unpacks: what a signature, an attestation or an SBOM carries. */
const artifactLayerTypes: ReadonlySet<string> = new Set([
  'application/vnd.in-toto+json',
  'application/vnd.dsse.envelope.v1+json',
  'application/vnd.dev.cosign.simplesigning.v1+json',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
  'application/vnd.cyclonedx+json',
  'application/spdx+json',
  'text/spdx+json',
  'application/wasm',
]);

export function isArtifactLayerType(mediaType: string): boolean {
  return artifactLayerTypes.has(mediaType);
}
