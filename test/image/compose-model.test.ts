/** The law of composing: what the inventories compose to is what the unpacked image holds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import type { ImageInventory } from '../../shared/domain/inventory.ts';
import { composeLayers } from './compose-layers.ts';
import {
  ancestors,
  applyLayer,
  archive,
  type LayerEntry,
  type ModelFileSystem,
  squash,
} from './model-file-system.ts';

/** Wanted paths, and for each some contents, of which the last can't be read. */
const contents: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['etc/os-release', ['ID=debian\nVERSION_ID=12\n', 'ID=alpine\nVERSION_ID=3.20.3\n', 'rubbish']],
  ['usr/lib/os-release', ['ID=debian\nVERSION_ID=13\n', 'rubbish']],
  ['etc/alpine-release', ['3.19.0\n', '-']],
  [
    'var/lib/dpkg/status',
    ['Package: a\nVersion: 1\n\nPackage: b\nVersion: 2\n', 'Package: b\nVersion: 2\n', 'rubbish\n'],
  ],
  ['var/lib/dpkg/status.d/c', ['Package: c\nVersion: 3\n', 'Package: a\nVersion: 1\n', 'rubbish\n']],
  ['usr/lib/apk/db/installed', ['P:d\nV:3\n']],
  ['lib/apk/db/installed', ['P:d\nV:1\no:e\n\nP:f\nV:2\n', 'P:f\nV:2\n', '']],
  ...['x', 'y', '@s/x', 'x/node_modules/y'].map(
    (name) =>
      [
        `app/node_modules/${name}/package.json`,
        ['{"name":"x","version":"1.0.0"}', '{"name":"y","version":"2.0.0"}', '{}', '{'],
      ] as const,
  ),
]);

const wantedPaths = [...contents.keys()];
const directories = [...new Set(wantedPaths.flatMap(ancestors))];
const wanted = fc.constantFrom(...wantedPaths);
const anyPath = fc.constantFrom(
  ...wantedPaths,
  ...directories,
  ...wantedPaths.map((path) => `${path}/below`),
  'other',
);

/** A hard link to a file of another format is not read, but told as UNRESOLVED_LINK: another test holds that. */
function formatOf(path: string): string {
  return path.split('/').at(-1) ?? '';
}

const file = wanted.chain((path) =>
  fc
    .constantFrom(...(contents.get(path) ?? ['']))
    .map((content): LayerEntry => ({ kind: 'file', path, content })),
);
const entry: fc.Arbitrary<LayerEntry> = fc.oneof(
  { weight: 6, arbitrary: file },
  { weight: 1, arbitrary: anyPath.map((path): LayerEntry => ({ kind: 'file', path, content: 'anything' })) },
  { weight: 1, arbitrary: anyPath.map((path): LayerEntry => ({ kind: 'directory', path })) },
  { weight: 1, arbitrary: anyPath.map((path): LayerEntry => ({ kind: 'whiteout', path })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', ...directories).map((path): LayerEntry => ({ kind: 'opaque', path })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(wanted, wanted)
      .filter(([path, target]) => formatOf(path) === formatOf(target))
      .map(([path, target]): LayerEntry => ({ kind: 'hardlink', path, target })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(wanted, wanted, fc.boolean()).map(
      ([path, target, isAbsolute]): LayerEntry => ({
        kind: 'symlink',
        path,
        target: isAbsolute ? `/${target}` : relative(path, target),
      }),
    ),
  },
);
const layers = fc.array(fc.array(entry, { maxLength: 8 }), { minLength: 1, maxLength: 5 });

describe('composing layers', () => {
  it('finds what cataloging the unpacked image finds', async () => {
    let packages = 0;
    await fc.assert(
      fc.asyncProperty(layers, async (drafts) => {
        const { unpacked, states } = unpackAll(drafts);
        const composed = await composeLayers(unpacked);
        const whole = await composeLayers([squash(states.at(-1) ?? new Map())]);
        packages += whole.packages.length;
        expect(comparable(composed)).toEqual(comparable(whole));
      }),
      { numRuns: 400 },
    );
    expect(packages).toBeGreaterThan(100);
  });

  it('attributes a package to the lowest layer from which one of its files has declared it without interruption', async () => {
    let later = 0;
    await fc.assert(
      fc.asyncProperty(layers, async (drafts) => {
        const { unpacked, states } = unpackAll(drafts);
        const composed = await composeLayers(unpacked);
        const snapshots = await Promise.all(states.map(async (state) => composeLayers([squash(state)])));
        const top = states.at(-1) ?? new Map();
        const expected = composed.packages.map((item) => {
          const since = item.paths
            .filter((path) => top.get(path)?.kind === 'file')
            .map((path) => firstLayerOf(item, path, snapshots, states));
          return Math.min(...since);
        });
        later += expected.filter((layer) => layer > 0).length;
        const digests = unpacked.map((layer) => digestOf(archive(layer)));
        expect(composed.packages.map((item) => item.layer)).toEqual(expected.map((layer) => digests[layer]));
      }),
      { numRuns: 200 },
    );
    expect(later).toBeGreaterThan(50);
  });
});

/** The entries that could be unpacked, and the file system after each layer. */
function unpackAll(drafts: readonly (readonly LayerEntry[])[]): {
  readonly unpacked: readonly (readonly LayerEntry[])[];
  readonly states: readonly ModelFileSystem[];
} {
  const unpacked: (readonly LayerEntry[])[] = [];
  const states: ModelFileSystem[] = [];
  for (const draft of drafts) {
    const layer = applyLayer(states.at(-1) ?? new Map(), draft);
    unpacked.push(layer.unpacked);
    states.push(layer.result);
  }
  return { unpacked, states };
}

/** Everything but layers, which a squashed image has not. */
function comparable(inventory: ImageInventory): unknown {
  return {
    distro: inventory.distro,
    packages: inventory.packages.map(({ layer: _layer, ...rest }) => rest),
    issues: inventory.issues.map(({ code, path, detail }) => ({ code, path, detail })),
  };
}

function firstLayerOf(
  item: ImageInventory['packages'][number],
  path: string,
  snapshots: readonly ImageInventory[],
  states: readonly ModelFileSystem[],
): number {
  let first = snapshots.length;
  for (let layer = snapshots.length - 1; layer >= 0; layer -= 1) {
    const isThere = snapshots[layer]?.packages.some(
      (other) =>
        other.type === item.type &&
        other.name === item.name &&
        other.version === item.version &&
        other.paths.includes(path),
    );
    if (isThere !== true || states[layer]?.get(path)?.kind !== 'file') break;
    first = layer;
  }
  return first;
}

/** Climbs from the link's directory to the root and down to the target. */
function relative(path: string, target: string): string {
  return `${'../'.repeat(ancestors(path).length)}${target}`;
}
