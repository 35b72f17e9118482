/** What one wanted path of an image holds, and since which layer. */
import type { CoverageIssue } from '../domain/coverage.ts';
import type { CatalogedFile, LayerInventory } from '../domain/inventory.ts';
import type { Claim, OwnedFiles, PackageClaim } from '../domain/package.ts';

/** A claim of a file that is there. */
export interface HeldClaim {
  readonly claim: Exclude<Claim, OwnedFiles>;
  readonly cataloger: string;
  /** Index of the layer from which the path has claimed this without interruption. */
  readonly since: number;
}

/** What a path holds after a layer was applied. */
export interface PathState {
  readonly path: string;
  /** Names of the catalogers that want the path. */
  readonly catalogers: readonly string[];
  readonly claims: readonly HeldClaim[];
  /** What of the file the layer's reader could not read. */
  readonly problems: readonly CoverageIssue[];
  /** Index of the layer that put the entry there. */
  readonly layer: number;
  /** Where a symbolic link leads, as a path in the image; empty where it leads out of it. */
  readonly linkTarget?: string;
  /** Target of a hard link that no layer below holds as a path that the same cataloger wants. */
  readonly missingTarget?: string;
}

/** The claims of `target` that reading it through a path which `catalogers` want would give; undefined where none of
 *  them has read it: its content may be of another format. */
export function claimsThrough(
  catalogers: readonly string[],
  target: PathState,
): readonly HeldClaim[] | undefined {
  const isRead = target.catalogers.some((name) => catalogers.includes(name));
  return isRead ? target.claims.filter(({ cataloger }) => catalogers.includes(cataloger)) : undefined;
}

/** What a path held before the layer. */
export type Before = (path: string) => PathState | undefined;

/** What the layer puts at each of its wanted paths. A hard link gets what its target held before the layer. */
export function readStates(layer: number, inventory: LayerInventory, before: Before): readonly PathState[] {
  const claims = claimsByPath(inventory, layer);
  const problems = splitIssues(inventory).byPath;
  const catalogers = new Map<string, string[]>();
  const files = new Map<string, CatalogedFile>();
  for (const file of inventory.files) {
    // A path that several catalogers want is listed once for each.
    files.set(file.path, file);
    const names = catalogers.get(file.path);
    if (names === undefined) catalogers.set(file.path, [file.cataloger]);
    else names.push(file.cataloger);
  }
  return [...files.values()].map((file) => {
    const state = {
      path: file.path,
      catalogers: catalogers.get(file.path) ?? [],
      claims: keepLayers(claims.get(file.path) ?? [], before(file.path)),
      problems: problems.get(file.path) ?? [],
      layer,
    };
    if (file.entry === 'symlink') return { ...state, linkTarget: file.target ?? '' };
    return file.entry === 'hardlink' ? followHardLink(state, file, before) : state;
  });
}

/** Links within a layer are read with the layer: one that is left names a file of a lower layer. */
function followHardLink(state: PathState, file: CatalogedFile, before: Before): PathState {
  const target = file.target === undefined ? undefined : before(file.target);
  if (target?.linkTarget !== undefined) return { ...state, linkTarget: target.linkTarget };
  const claims = target === undefined ? undefined : claimsThrough(state.catalogers, target);
  if (claims === undefined || target?.missingTarget !== undefined) {
    return { ...state, missingTarget: target?.missingTarget ?? file.target ?? '' };
  }
  const own = claims.map((held) => ({ ...held, since: state.layer }));
  const problems = target?.problems.map((problem) => ({ ...problem, path: state.path })) ?? [];
  return {
    ...state,
    claims: keepLayers(own, before(file.path)),
    problems: [...state.problems, ...problems],
  };
}

/** The layer's issues: those about one of its wanted files, which last as long as the file is there, and the rest. */
export function splitIssues(inventory: LayerInventory): {
  readonly byPath: ReadonlyMap<string, readonly CoverageIssue[]>;
  readonly ofLayer: readonly CoverageIssue[];
} {
  const byPath = new Map<string, CoverageIssue[]>();
  const ofLayer: CoverageIssue[] = [];
  if (inventory.issues.length === 0) return { byPath, ofLayer };
  for (const { path } of inventory.files) byPath.set(path, []);
  for (const issue of inventory.issues) (byPath.get(issue.path ?? '') ?? ofLayer).push(issue);
  return { byPath, ofLayer };
}

function claimsByPath(inventory: LayerInventory, layer: number): ReadonlyMap<string, readonly HeldClaim[]> {
  const claims = new Map<string, HeldClaim[]>();
  for (const { cataloger, claims: found } of inventory.groups) {
    for (const claim of found) {
      if (claim.kind === 'owned-files') continue;
      const held = { claim, cataloger, since: layer };
      const list = claims.get(claim.path);
      if (list === undefined) claims.set(claim.path, [held]);
      else list.push(held);
    }
  }
  return claims;
}

/** A package that the path claimed before keeps its layer, also where its file was written anew. */
function keepLayers(claims: readonly HeldClaim[], before: PathState | undefined): readonly HeldClaim[] {
  if (before === undefined || before.claims.length === 0) return claims;
  const earlier = new Map<string, number>();
  for (const { claim, since } of before.claims) {
    if (claim.kind === 'package') earlier.set(identityOf(claim), since);
  }
  return claims.map((held) => {
    const since = held.claim.kind === 'package' ? earlier.get(identityOf(held.claim)) : undefined;
    return since === undefined ? held : { ...held, since };
  });
}

/** Names a package among the claims of one path. */
function identityOf(claim: PackageClaim): string {
  return JSON.stringify([claim.type, claim.name, claim.version, claim.architecture ?? null]);
}
