/** Composes the inventories of an image's layers to what the image holds, as unpacking them one over the other would. */
import { compareText } from '../base/text-order.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { Analyzer, ImageInventory, ImageRecord, LayerInventory } from '../domain/inventory.ts';
import { type Distro, distroPaths, type Package, type PackageClaim } from '../domain/package.ts';
import { purlOf } from '../domain/purl.ts';
import { composeIssues } from './compose-issues.ts';
import { type ResolvedPath, resolveLinks } from './path-links.ts';
import { PathView } from './path-view.ts';

/** One layer to compose. */
export interface LayerSource {
  readonly inventory: LayerInventory;
  /** Every path of the layer that is no directory; asked only where a lower layer has something to hide. */
  leafPaths(): Promise<readonly string[]>;
}

/** Composes the layers, bottom first, one per layer of the record.
 *  - A package is listed once with every path that declares it; its layer is the lowest from which one of those paths has
 *    declared it without interruption.
 *  - Symbolic and hard links are followed inside the image as far as wanted paths are known; a link that leads elsewhere
 *    is a coverage issue UNRESOLVED_LINK.
 *  - What could not be read counts only where no upper layer hides it.
 *  - An image without any package has the issue NO_PACKAGES, a layer whose content is not what the image's config says
 *    the issue DIFF_ID_MISMATCH. Past maxPaths entries in all, what a layer's files hide is not applied: its issue is
 *    LIMIT_ENTRIES, and what they hide counts as there. What the distribution means for the packages is matching's business.
 *  Throws INVALID_INPUT where the number of layers is not the record's. */
export async function composeImage(
  record: ImageRecord,
  layers: readonly LayerSource[],
  maxPaths: number = maxHidingPaths,
): Promise<ImageInventory> {
  if (layers.length !== record.layers.length) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `expected the inventories of all ${record.layers.length} layers of ${record.digest}, found ${layers.length}`,
    );
  }
  const inventories = layers.map((layer) => layer.inventory);
  const view = new PathView(inventories);
  const unapplied: number[] = [];
  let pathCount = 0;
  for (const [index, { inventory, leafPaths }] of layers.entries()) {
    let hiding: readonly string[] = [];
    if (!view.isEmpty) {
      pathCount += inventory.entryCount;
      if (pathCount <= maxPaths) hiding = await leafPaths();
      else unapplied.push(index);
    }
    view.apply(index, inventory, hiding);
  }
  const { found, dangling } = resolveLinks(view);
  const distro = chooseDistro(found);
  const packages = collectPackages(found, distro, record);
  return {
    packages,
    distro,
    analyzers: collectAnalyzers(inventories),
    issues: composeIssues({ record, inventories, view, dangling, packages, unapplied }),
  };
}

function chooseDistro(found: readonly ResolvedPath[]): Distro | undefined {
  for (const path of distroPaths) {
    const claims = found.find((resolved) => resolved.path === path)?.claims ?? [];
    for (const { claim } of claims) if (claim.kind === 'distro') return claim.distro;
  }
  return undefined;
}

/** Most entries of layers whose paths are held against those below; a microsecond each. The same layer may stand a
 *  thousand times in a manifest, so that a small image would keep a judge for many minutes. */
const maxHidingPaths = 10_000_000;

interface PackageDraft {
  readonly claim: PackageClaim;
  readonly paths: Set<string>;
  layer: number;
}

/** `found` is sorted by path, so that of two claims of one purl the same always speaks. */
function collectPackages(
  found: readonly ResolvedPath[],
  distro: Distro | undefined,
  record: ImageRecord,
): readonly Package[] {
  const drafts = new Map<string, PackageDraft>();
  for (const { path, claims } of found) {
    for (const { claim, since } of claims) {
      if (claim.kind !== 'package') continue;
      const purl = purlOf({ ...claim, distro });
      const draft = drafts.get(purl);
      if (draft === undefined) {
        drafts.set(purl, { claim, paths: new Set([path]), layer: since });
        continue;
      }
      draft.paths.add(path);
      draft.layer = Math.min(draft.layer, since);
    }
  }
  return [...drafts]
    .map(([purl, { claim, paths, layer }]) => ({
      purl,
      type: claim.type,
      name: claim.name,
      version: claim.version,
      ...(claim.architecture === undefined ? {} : { architecture: claim.architecture }),
      ...(claim.source === undefined ? {} : { source: claim.source }),
      ...(claim.licenses === undefined ? {} : { licenses: claim.licenses }),
      layer: layerDigest(record, layer),
      paths: [...paths].sort(compareText),
      ownedBy: null,
    }))
    .sort((a, b) => compareText(a.purl, b.purl));
}

function layerDigest(record: ImageRecord, index: number): ImageRecord['digest'] {
  const layer = record.layers[index];
  if (layer === undefined) throw new RangeError(`image ${record.digest} has no layer ${index}`);
  return layer.digest;
}

/** Each analyzer once per version that any layer was read with. */
function collectAnalyzers(inventories: readonly LayerInventory[]): readonly Analyzer[] {
  const analyzers = new Map<string, Analyzer>();
  for (const { analyzers: used } of inventories) {
    for (const { name, version } of used) analyzers.set(JSON.stringify([name, version]), { name, version });
  }
  return [...analyzers.values()].sort((a, b) => compareText(a.name, b.name) || a.version - b.version);
}
