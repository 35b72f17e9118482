/** Composing by example: what hides what, who brought a package, what is told as not covered. */
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import type { LayerInventory } from '../../shared/domain/inventory.ts';
import { composeImage, type LayerSource } from '../../shared/image/compose.ts';
import { maxIssuesPerCode } from '../../shared/image/compose-issues.ts';
import { composeLayers, readModelLayer, recordOf } from './compose-layers.ts';
import { archive, type LayerEntry } from './model-file-system.ts';

const debian: LayerEntry = { kind: 'file', path: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\n' };

function status(...packages: readonly string[]): LayerEntry {
  const content = packages.map((name) => `Package: ${name}\nVersion: 1-1\nArchitecture: amd64\n`).join('\n');
  return { kind: 'file', path: 'var/lib/dpkg/status', content };
}

function npm(name: string, version = '1.0.0', root = 'app'): LayerEntry {
  const path = `${root}/node_modules/${name}/package.json`;
  return { kind: 'file', path, content: JSON.stringify({ name, version }) };
}

function digestsOf(layers: readonly (readonly LayerEntry[])[]): readonly string[] {
  return layers.map((layer) => digestOf(archive(layer)));
}

async function namesIn(...layers: readonly (readonly LayerEntry[])[]): Promise<readonly string[]> {
  return (await composeLayers(layers)).packages.map((item) => item.name);
}

async function issuesIn(...layers: readonly (readonly LayerEntry[])[]): Promise<readonly string[]> {
  const { issues } = await composeLayers(layers);
  return issues.map((issue) => `${issue.code} ${issue.path ?? ''}`.trim());
}

describe('composing: what hides what', () => {
  it('removes a tree that an upper layer whites out, and nothing beside it', async () => {
    const lower = [npm('lodash'), npm('lodash-es'), npm('inner', '1.0.0', 'app/node_modules/lodash')];
    expect(await namesIn(lower, [{ kind: 'whiteout', path: 'app/node_modules/lodash' }])).toEqual([
      'lodash-es',
    ]);
  });

  it('lets a layer white out a directory and bring it anew', async () => {
    const upper: LayerEntry[] = [npm('b'), { kind: 'whiteout', path: 'app' }];
    expect(await namesIn([npm('a')], upper)).toEqual(['b']);
  });

  it('hides below an opaque directory what lower layers had, not what the same layer has', async () => {
    const upper: LayerEntry[] = [npm('b'), { kind: 'opaque', path: 'app/node_modules' }];
    expect(await namesIn([npm('a'), npm('c', '1.0.0', 'other')], upper)).toEqual(['b', 'c']);
    expect(await namesIn([npm('a')], [{ kind: 'opaque', path: '' }])).toEqual([]);
  });

  it('drops the tree below a path that becomes a file or link', async () => {
    expect(await namesIn([npm('a')], [{ kind: 'file', path: 'app/node_modules', content: '' }])).toEqual([]);
    expect(await namesIn([npm('a')], [{ kind: 'symlink', path: 'app', target: 'srv' }])).toEqual([]);
  });

  it('drops a file that becomes a directory, listed or implied', async () => {
    const path = 'app/node_modules/a/package.json';
    expect(await namesIn([npm('a')], [{ kind: 'directory', path }])).toEqual([]);
    expect(await namesIn([npm('a')], [{ kind: 'file', path: `${path}/x`, content: '' }])).toEqual([]);
  });

  it('keeps what merely begins with the same letters', async () => {
    const upper: LayerEntry[] = [
      { kind: 'whiteout', path: 'app/node_modules/a' },
      { kind: 'file', path: 'app/node_modules/a-', content: '' },
    ];
    expect(await namesIn([npm('a'), npm('a-b'), npm('a0'), npm('ab')], upper)).toEqual(['a-b', 'a0', 'ab']);
  });

  it('asks for the paths of a layer only where a lower one has something to hide', async () => {
    const asked: number[] = [];
    const archives = [[], [npm('a')], [npm('b')]].map(archive);
    const sources = await Promise.all(archives.map(readModelLayer));
    const watched = sources.map(
      ({ inventory, leafPaths }, index): LayerSource => ({
        inventory,
        leafPaths: async () => {
          asked.push(index);
          return leafPaths();
        },
      }),
    );
    await composeImage(recordOf(archives.map(digestOf)), watched);
    expect(asked).toEqual([2]);
  });
});

describe('composing: links', () => {
  const release: LayerEntry = { ...debian, path: 'usr/lib/os-release' };

  it.each(['../usr/lib/os-release', '/usr/lib/os-release', '../../../usr/lib/os-release'])(
    'reads the distribution through the link %s, also to a lower layer',
    async (target) => {
      const link: LayerEntry = { kind: 'symlink', path: 'etc/os-release', target };
      for (const layers of [[[release, link]], [[link], [release]], [[release], [link]]]) {
        expect((await composeLayers(layers)).distro?.id).toBe('debian');
      }
    },
  );

  it('lists a package under every path that leads to it, and in the layer of the file', async () => {
    const layers: LayerEntry[][] = [
      [npm('a')],
      [
        {
          kind: 'symlink',
          path: 'srv/node_modules/b/package.json',
          target: '/app/node_modules/a/package.json',
        },
      ],
    ];
    const { packages } = await composeLayers(layers);
    expect(packages).toMatchObject([
      {
        name: 'a',
        layer: digestsOf(layers)[0],
        paths: ['app/node_modules/a/package.json', 'srv/node_modules/b/package.json'],
      },
    ]);
  });

  it('keeps what a hard link holds after its target is gone, and attributes it to the layer of the link', async () => {
    const link: LayerEntry = {
      kind: 'hardlink',
      path: 'srv/node_modules/a/package.json',
      target: 'app/node_modules/a/package.json',
    };
    const layers: LayerEntry[][] = [[npm('a')], [link], [{ kind: 'whiteout', path: 'app' }]];
    const { packages } = await composeLayers(layers);
    expect(packages).toMatchObject([{ name: 'a', layer: digestsOf(layers)[1], paths: [link.path] }]);
  });

  it.each<LayerEntry>([
    { kind: 'symlink', path: 'etc/os-release', target: '/data/os-release' },
    { kind: 'symlink', path: 'etc/os-release', target: 'os-release' },
    { kind: 'symlink', path: 'etc/os-release', target: '/var/lib/dpkg/status' },
    { kind: 'hardlink', path: 'etc/os-release', target: 'data/os-release' },
    { kind: 'hardlink', path: 'etc/os-release', target: 'var/lib/dpkg/status' },
  ])('tells of a $kind to $target that can not be read as what it is wanted for', async (link) => {
    expect(await issuesIn([status('a')], [link])).toEqual(['UNRESOLVED_LINK etc/os-release']);
  });

  it('ends a circle of links', async () => {
    const links: LayerEntry[] = [
      { kind: 'symlink', path: 'etc/os-release', target: '/usr/lib/os-release' },
      { kind: 'symlink', path: 'usr/lib/os-release', target: '/etc/os-release' },
    ];
    expect(await issuesIn([npm('a'), ...links])).toEqual([
      'UNRESOLVED_LINK etc/os-release',
      'UNRESOLVED_LINK usr/lib/os-release',
    ]);
  });

  it('forgets a dangling link that an upper layer replaces', async () => {
    const link: LayerEntry = { kind: 'symlink', path: 'etc/os-release', target: '/data/os-release' };
    expect(await issuesIn([status('a'), link], [debian])).toEqual([]);
  });
});

describe('composing: who brought a package', () => {
  it('keeps older packages with their layer when the status file is written anew', async () => {
    const layers = [[debian, status('a')], [status('a', 'b')], [status('a', 'b', 'c')]];
    const digests = digestsOf(layers);
    const { packages } = await composeLayers(layers);
    expect(packages.map((item) => [item.name, item.layer])).toEqual([
      ['a', digests[0]],
      ['b', digests[1]],
      ['c', digests[2]],
    ]);
  });

  it('starts anew after an interruption and after an upgrade', async () => {
    const layers: LayerEntry[][] = [
      [npm('a'), npm('b')],
      [{ kind: 'whiteout', path: 'app/node_modules/a' }, npm('b', '2.0.0')],
      [npm('a')],
    ];
    const digests = digestsOf(layers);
    const { packages } = await composeLayers(layers);
    expect(packages.map((item) => [item.purl, item.layer])).toEqual([
      ['pkg:npm/a@1.0.0', digests[2]],
      ['pkg:npm/b@2.0.0', digests[1]],
    ]);
  });

  it('lists a package once, with all its paths sorted and its lowest layer', async () => {
    const layers = [[npm('a', '1.0.0', 'z')], [npm('a', '1.0.0', 'b')]];
    expect((await composeLayers(layers)).packages).toEqual([
      {
        purl: 'pkg:npm/a@1.0.0',
        type: 'npm',
        name: 'a',
        version: '1.0.0',
        layer: digestsOf(layers)[0],
        paths: ['b/node_modules/a/package.json', 'z/node_modules/a/package.json'],
        ownedBy: null,
      },
    ]);
  });
});

describe('composing: coverage', () => {
  it('says that an image without packages has none', async () => {
    expect(await issuesIn([debian])).toEqual(['NO_PACKAGES']);
    expect(await issuesIn()).toEqual(['NO_PACKAGES']);
  });

  it('says what a layer hides was not taken away once all layers have too many entries, and asks for none of them', async () => {
    const npmA = await readModelLayer(archive([npm('a')]));
    const hiding = await readModelLayer(archive([{ kind: 'file', path: 'app', content: '' }]));
    const digests = [npmA, hiding, hiding].map(({ inventory }) => inventory.layerDigest);
    const asked: number[] = [];
    const sources = [npmA, hiding, hiding].map(({ inventory, leafPaths }, index) => ({
      inventory,
      leafPaths: async () => {
        asked.push(index);
        return leafPaths();
      },
    }));
    const bounded = await composeImage(recordOf(digests), sources, 0);
    expect(bounded.packages.map(({ name }) => name)).toEqual(['a']);
    expect(bounded.issues).toMatchObject([
      { code: 'LIMIT_ENTRIES', layer: digests[1], detail: expect.stringContaining('layer 2') },
      { code: 'LIMIT_ENTRIES', layer: digests[2], detail: expect.stringContaining('layer 3') },
    ]);
    expect(asked).toEqual([]);
    expect((await composeImage(recordOf(digests), sources, 1)).packages).toEqual([]);
  });

  it('says nothing of an image with packages', async () => {
    expect(await issuesIn([status('a')])).toEqual([]);
    expect(await issuesIn([npm('a')])).toEqual([]);
  });

  it.each([
    [['usr/lib/os-release', 'etc/os-release', 'etc/debian_version'], 'etc/os-release'],
    [['usr/lib/os-release', 'etc/debian_version', 'etc/alpine-release'], 'usr/lib/os-release'],
    [['etc/debian_version', 'etc/alpine-release'], 'etc/debian_version'],
    [['etc/alpine-release'], 'etc/alpine-release'],
  ])('of %j believes %s', async (paths, first) => {
    const texts: Readonly<Record<string, readonly [string, string]>> = {
      'etc/os-release': ['ID=one\n', 'one'],
      'usr/lib/os-release': ['ID=two\n', 'two'],
      'etc/debian_version': ['12.5\n', 'debian'],
      'etc/alpine-release': ['3.20.3\n', 'alpine'],
    };
    const files = paths.map((path): LayerEntry => ({ kind: 'file', path, content: texts[path]?.[0] ?? '' }));
    expect((await composeLayers([files])).distro?.id).toBe(texts[first]?.[1]);
  });

  it('names an unreadable file until an upper layer hides it', async () => {
    const broken: LayerEntry = { kind: 'file', path: 'app/node_modules/a/package.json', content: '{' };
    expect(await issuesIn([npm('b'), broken])).toEqual([`UNREADABLE_FILE ${broken.path}`]);
    expect(await issuesIn([npm('b'), broken], [npm('a')])).toEqual([]);
    expect(await issuesIn([npm('b'), broken], [{ kind: 'whiteout', path: broken.path }])).toEqual([]);
  });

  it('names it under a hard link too, which keeps the content', async () => {
    const broken: LayerEntry = { kind: 'file', path: 'app/node_modules/a/package.json', content: '{' };
    const link: LayerEntry = {
      kind: 'hardlink',
      path: 'srv/node_modules/a/package.json',
      target: broken.path,
    };
    expect(await issuesIn([npm('b'), broken], [link], [{ kind: 'whiteout', path: broken.path }])).toEqual([
      `UNREADABLE_FILE ${link.path}`,
    ]);
  });

  it('keeps issues of a whole layer whatever lies above, and names the layer', async () => {
    const truncated = archive([npm('a'), npm('b')]).subarray(0, 1100);
    const upper = archive([npm('a')]);
    const sources = await Promise.all([truncated, upper].map(readModelLayer));
    const { issues } = await composeImage(recordOf([truncated, upper].map(digestOf)), sources);
    expect(issues.map(({ code, layer }) => ({ code, layer }))).toContainEqual({
      code: 'BROKEN_ARCHIVE',
      layer: digestOf(truncated),
    });
  });

  it('tells where the config names other content than a layer has, or none', async () => {
    const bytes = archive([npm('a')]);
    const layer = { digest: digestOf(bytes), mediaType: '', sizeBytes: 0 };
    for (const changes of [{ ...layer, diffId: digestOf('other') }, layer]) {
      const { issues } = await composeLayers([[npm('a')]], { layers: [changes] });
      expect(issues).toMatchObject([{ code: 'DIFF_ID_MISMATCH', layer: layer.digest }]);
    }
  });

  it('counts what is past the first thousand issues of a code', async () => {
    const entries = Array.from(
      { length: maxIssuesPerCode + 5 },
      (_, index): LayerEntry => ({
        kind: 'symlink',
        path: `n${index}/node_modules/a/package.json`,
        target: '/nowhere',
      }),
    );
    const { issues } = await composeLayers([[npm('a'), ...entries]]);
    expect(issues).toHaveLength(maxIssuesPerCode + 1);
    expect(issues.at(-1)).toEqual({ code: 'UNRESOLVED_LINK', detail: 'and 5 more issues of this kind' });
  });

  it('refuses another number of layers than the image has', async () => {
    await expect(composeLayers([[npm('a')]], { layers: [] })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });
});

describe('composing: bounded work', () => {
  const base = Array.from({ length: 20_000 }, (_, index) => `n${index}/node_modules/a/package.json`);
  const nested = (depth: number): string => Array.from({ length: depth }, () => 'n').join('/');

  function inventory(changes: Partial<LayerInventory>): LayerInventory {
    return {
      schema: 1,
      layerDigest: digestOf('layer'),
      diffId: digestOf('layer'),
      compressedBytes: 0,
      uncompressedBytes: 0,
      entryCount: 0,
      compression: 'none',
      analyzers: [],
      files: [],
      groups: [],
      whiteouts: [],
      opaqueDirectories: [],
      wantedDirectories: [],
      issues: [],
      ...changes,
    };
  }
  const files = (paths: readonly string[]): LayerInventory['files'] =>
    paths.map((path) => ({ path, cataloger: 'npm', group: path, entry: 'file' }));
  const source = (leafPaths: readonly string[], changes: Partial<LayerInventory>): LayerSource => ({
    inventory: inventory(changes),
    leafPaths: async () => leafPaths,
  });

  it.each<readonly [string, readonly LayerSource[]]>([
    [
      'a thousand small layers over a large one',
      [source([], { files: files(base) }), ...Array.from({ length: 999 }, () => source(['x/y/z'], {}))],
    ],
    [
      'two thousand opaque directories, one in the other',
      [
        source([], { files: files(base.map((path) => `${nested(1000)}/${path}`)) }),
        source([], { opaqueDirectories: Array.from({ length: 2000 }, (_, index) => nested(index + 1)) }),
      ],
    ],
    [
      'a layer of deep paths over a large one',
      [
        source([], { files: files(base) }),
        source(
          base.map((path) => `${nested(1000)}/${path}`),
          {},
        ),
      ],
    ],
    [
      'a long chain of links',
      [
        source([], {
          files: base.map((path, index) => ({
            path,
            cataloger: 'npm',
            group: path,
            entry: 'symlink',
            target: base[index + 1] ?? '',
          })),
        }),
      ],
    ],
  ])('composes %s within seconds', async (_case, layers) => {
    const startedMs = performance.now();
    await composeImage(recordOf(layers.map((layer) => layer.inventory.layerDigest)), layers);
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });
});
