/** What composing an image finds that was not read or is not as the image says. */
import { compareText } from '../base/text-order.ts';
import type { CoverageCode, CoverageIssue } from '../domain/coverage.ts';
import type { ImageRecord, LayerInventory } from '../domain/inventory.ts';
import type { Package } from '../domain/package.ts';
import type { DanglingLink } from './path-links.ts';
import { splitIssues } from './path-state.ts';
import type { PathView } from './path-view.ts';

export interface Composition {
  readonly record: ImageRecord;
  readonly inventories: readonly LayerInventory[];
  readonly view: PathView;
  readonly dangling: readonly DanglingLink[];
  readonly packages: readonly Package[];
  /** Indexes of the layers whose paths were not held against those below them. */
  readonly unapplied: readonly number[];
}

/** Most issues of one code that are listed one by one: a hostile image can hold a million unreadable files. */
export const maxIssuesPerCode = 1000;

/** All issues of the image, sorted, without repeats; past maxIssuesPerCode of one code the rest is counted in one more. */
export function composeIssues(composition: Composition): readonly CoverageIssue[] {
  const issues = [
    ...layerIssues(composition),
    ...unreadableFiles(composition),
    ...unresolvedLinks(composition),
    ...diffIdMismatches(composition.record, composition.inventories),
    ...unappliedLayers(composition),
    ...imageIssues(composition),
  ];
  const unique = new Map(issues.map((issue) => [sortKey(issue), issue]));
  const ordered = [...unique].sort(([a], [b]) => compareText(a, b)).map(([, issue]) => issue);
  return countRest(ordered);
}

function* layerIssues({ record, inventories }: Composition): Generator<CoverageIssue> {
  for (const [index, inventory] of inventories.entries()) {
    for (const issue of splitIssues(inventory).ofLayer) yield { ...issue, ...layerOf(record, index) };
  }
}

/** What an upper layer hides is not asked for: nothing of the image is missing for it. */
function* unreadableFiles({ record, view }: Composition): Generator<CoverageIssue> {
  for (const { claims, problems, layer } of view.held()) {
    for (const problem of problems) yield { ...problem, ...layerOf(record, layer) };
    for (const { claim } of claims) {
      if (claim.kind !== 'unreadable') continue;
      const { path, detail } = claim;
      yield { code: 'UNREADABLE_FILE', path, ...layerOf(record, layer), detail };
    }
  }
}

function* unresolvedLinks({ record, dangling }: Composition): Generator<CoverageIssue> {
  for (const { path, target, layer } of dangling) {
    yield {
      code: 'UNRESOLVED_LINK',
      path,
      ...layerOf(record, layer),
      detail: `links to "${target.slice(0, 300)}", which no layer holds as a file that is read`,
    };
  }
}

/** The layer's digest was verified, so the config is what lies: its diff_ids are not those of its layers. */
function* diffIdMismatches(
  record: ImageRecord,
  inventories: readonly LayerInventory[],
): Generator<CoverageIssue> {
  for (const [index, { diffId }] of inventories.entries()) {
    const expected = record.layers[index]?.diffId;
    if (diffId === undefined || diffId === expected) continue;
    yield {
      code: 'DIFF_ID_MISMATCH',
      ...layerOf(record, index),
      detail: `the config says ${expected ?? 'nothing'} of layer ${index + 1}, its content is ${diffId}`,
    };
  }
}

function* unappliedLayers({ record, unapplied }: Composition): Generator<CoverageIssue> {
  for (const index of unapplied) {
    yield {
      code: 'LIMIT_ENTRIES',
      ...layerOf(record, index),
      detail: `the image has too many layers of so many files: what the files of layer ${index + 1} hide was not taken away`,
    };
  }
}

function* imageIssues({ packages }: Composition): Generator<CoverageIssue> {
  if (packages.length === 0) {
    yield {
      code: 'NO_PACKAGES',
      detail: 'no layer holds a package of a known format: there is nothing to match',
    };
  }
}

function layerOf(record: ImageRecord, index: number): Pick<CoverageIssue, 'layer'> {
  const layer = record.layers[index]?.digest;
  return layer === undefined ? {} : { layer };
}

function sortKey(issue: CoverageIssue): string {
  return JSON.stringify([issue.code, issue.path ?? '', issue.layer ?? '', issue.purl ?? '', issue.detail]);
}

function countRest(issues: readonly CoverageIssue[]): readonly CoverageIssue[] {
  const counts = new Map<CoverageCode, number>();
  const listed: CoverageIssue[] = [];
  for (const issue of issues) {
    const count = (counts.get(issue.code) ?? 0) + 1;
    counts.set(issue.code, count);
    if (count <= maxIssuesPerCode) listed.push(issue);
  }
  for (const [code, count] of counts) {
    const rest = count - maxIssuesPerCode;
    if (rest > 0) listed.push({ code, detail: `and ${rest} more issues of this kind` });
  }
  return listed;
}
