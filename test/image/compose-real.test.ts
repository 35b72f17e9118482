/** Composing images that nobody here made: the packages must be those that the distribution's own tools list. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogers } from '../../shared/catalogers/registry.ts';
import type { ImageInventory } from '../../shared/domain/inventory.ts';
import type { Package } from '../../shared/domain/package.ts';
import { composeImage, type LayerSource } from '../../shared/image/compose.ts';
import { readLayer } from '../../shared/image/read-layer.ts';
import { openTarget } from '../../shared/image/sources.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';
import { hasMadeImages, madeImagesPath, madeImagesReason } from '../support/made-images.ts';

async function inventoryOf(target: string): Promise<ImageInventory> {
  const opened = await openTarget(target, { dockerConfigFolder: '/nowhere' });
  try {
    const [image] = await opened.images();
    if (image === undefined) throw new Error(`${target} holds no image`);
    const record = await opened.record(image.digest);
    const layers: LayerSource[] = [];
    for (const layer of record.layers) {
      const reopen = () => opened.openLayer(layer);
      const { inventory, leafPaths } = await readLayer(await reopen(), {
        layerDigest: layer.digest,
        catalogers,
        reopen,
      });
      layers.push({ inventory, leafPaths: async () => leafPaths });
    }
    return await composeImage(record, layers);
  } finally {
    await opened.close();
  }
}

function rowsOf(
  packages: readonly Package[],
  type: string,
  row: (item: Package) => readonly (string | undefined)[],
): readonly string[] {
  return packages
    .filter((item) => item.type === type)
    .map((item) => row(item).join('\t'))
    .sort();
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}

const dpkgRow = (item: Package) => [
  item.name,
  item.version,
  item.architecture,
  item.source?.name,
  item.source?.version,
];

describe.skipIf(!hasCorpus)(`a real Alpine image${corpusReason}`, () => {
  it.each(['oci:images/alpine-3.10.2-oci', 'docker-archive:images/alpine-3.10.2.docker.tar.gz'])(
    'has the 14 packages of its database: %s',
    async (target) => {
      const { packages, distro, issues } = await inventoryOf(target.replace(':', `:${corpusPath}/`));
      const expected = linesOf(`${corpusPath}/images/alpine-3.10.2.expected.tsv`).slice(1);
      expect(expected).toHaveLength(14);
      expect(
        rowsOf(packages, 'apk', (item) => [item.name, item.version, item.architecture, item.source?.name]),
      ).toEqual([...expected].sort());
      expect(packages).toHaveLength(14);
      expect(distro).toEqual({ id: 'alpine', versionId: '3.10.2', prettyName: 'Alpine Linux v3.10' });
      expect(issues).toEqual([]);
    },
  );
});

describe.skipIf(!hasMadeImages)(`images of Debian and npm packages${madeImagesReason}`, () => {
  const dpkgRows = (): readonly string[] => [...linesOf(`${madeImagesPath}/expected/base.dpkg.tsv`)].sort();
  /** `path:name@version`; the first line is the application itself. */
  const npmRows = (): readonly string[] =>
    linesOf(`${madeImagesPath}/expected/node.npm-ls.txt`)
      .slice(1)
      .map((line) => line.slice(line.indexOf(':') + 1))
      .sort();

  it.each(['base', 'node', 'whiteout'])(
    '%s has the packages that dpkg-query and npm ls list',
    async (tag) => {
      const { packages, distro, issues } = await inventoryOf(`oci:${madeImagesPath}/oci:${tag}`);
      const npm =
        tag === 'base' ? [] : npmRows().filter((row) => tag === 'node' || !row.startsWith('lodash@'));
      expect(rowsOf(packages, 'deb', dpkgRow)).toEqual(dpkgRows());
      expect(rowsOf(packages, 'npm', (item) => [`${item.name}@${item.version}`])).toEqual(npm);
      expect(distro).toMatchObject({ id: 'debian', versionId: '12', codename: 'bookworm' });
      expect(issues).toEqual([]);
    },
  );

  it('loses lodash in the tag whiteout and nothing else', async () => {
    const node = await inventoryOf(`oci:${madeImagesPath}/oci:node`);
    const whiteout = await inventoryOf(`oci:${madeImagesPath}/oci:whiteout`);
    const left = new Set(whiteout.packages.map((item) => item.purl));
    expect(node.packages.map((item) => item.purl).filter((purl) => !left.has(purl))).toEqual([
      'pkg:npm/lodash@4.17.15',
    ]);
    expect(whiteout.packages).toEqual(node.packages.filter((item) => left.has(item.purl)));
  });
});
