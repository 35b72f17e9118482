/** Distribution's parser over notifications that a real docker-registry 2.8 sent. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseNotification } from '../../shared/webhooks/registry.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';

const registry = '127.0.0.1:5000';
const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const base = 'sha256:67b13e6ed91ccae157ac1b9e007e41f07e49aebf2e5cf6097247c0fceb8dbe77';

/** Read off the recordings with: jq -c '.events[]|[.action,.target.mediaType,.target.repository,.target.tag,.target.digest,.id]' */
const expected: Readonly<Record<string, object>> = {
  '001': { kind: 'noise', reason: 'blob' },
  '002': { kind: 'noise', reason: 'blob' },
  '003': {
    kind: 'push',
    registry,
    repository: 'demo/app',
    tag: 'base',
    digest: base,
    mediaType: ociManifest,
    eventId: '4ed98bdd-8c12-44cd-ad23-1fa10ccabcec',
  },
  '008': { kind: 'noise', reason: 'pull' },
  '010': { kind: 'noise', reason: 'blob' },
  '012': {
    kind: 'push',
    registry,
    repository: 'demo/app',
    tag: 'whiteout',
    digest: 'sha256:520c612d897c7dae45d0913f4dade3fe4eb8ec8b6a9505d95edd4fff5e956783',
    mediaType: ociManifest,
    eventId: '2c014eb0-6154-4352-9b2c-564620b7cd47',
  },
  '014': { kind: 'noise', reason: 'mount' },
  '020': {
    kind: 'push',
    registry,
    repository: 'demo/app-v2s2',
    tag: '1.0',
    digest: 'sha256:d1f0bb21eaa3feeda9551872b6fde89f96de3f5b4be4f9a614d945102a7a36c0',
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    eventId: 'd8a9a725-4f20-495b-b3d0-a0f981249315',
  },
  '021': { kind: 'noise', reason: 'pull' },
  '026': {
    kind: 'push',
    registry,
    repository: 'demo/app',
    tag: 'latest',
    digest: 'sha256:5a11da41a16d5c122d5a6c177ad44021c22eef5e1b1de80fc15be676abf95f9a',
    mediaType: ociManifest,
    eventId: 'dd97cb09-c167-430f-84df-c1a86fc94ca4',
  },
  '033': { kind: 'noise', reason: 'mount' },
  '034': { kind: 'noise', reason: 'pull' },
  '035': {
    kind: 'delete',
    registry,
    repository: 'demo/app',
    digest: base,
    eventId: '549affa3-7815-4fcb-a49a-04d9b4e5de3a',
  },
  '036': {
    kind: 'delete',
    registry,
    repository: 'demo/app',
    tag: 'base',
    eventId: 'e07731e9-f85b-4b18-a3f0-b3697d791f7d',
  },
};

describe.skipIf(!hasCorpus)(`recorded notifications of docker-registry${corpusReason}`, () => {
  const folder = join(corpusPath, 'registry-notifications');

  it('every recording has an expected event', () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    expect(names.map((name) => name.slice(0, 3))).toEqual(Object.keys(expected).sort());
  });

  it.each(Object.entries(expected))('recording %s is read as it was sent', (name, event) => {
    const body: unknown = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
    expect(parseNotification('distribution', body).events).toEqual([event]);
  });
});
