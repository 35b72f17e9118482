/** Symbolic links among the wanted paths of a composed image, followed to what is read there. */
import { claimsThrough, type HeldClaim, type PathState } from './path-state.ts';
import type { PathView } from './path-view.ts';

/** A path with what is read there, its links followed. */
export interface ResolvedPath {
  readonly path: string;
  readonly claims: readonly HeldClaim[];
}

/** A link that leads to no path that a cataloger of the link wants. */
export interface DanglingLink {
  readonly path: string;
  readonly target: string;
  /** Index of the layer that holds the link. */
  readonly layer: number;
}

/** Linux follows at most 40 symbolic links, which also ends a circle. */
const maxLinkHops = 40;

/** Everything that the view holds, sorted by path: what can be read, and the links that lead elsewhere. Links to
 *  directories are no wanted paths, so a target that stands behind one counts as dangling. */
export function resolveLinks(view: PathView): {
  readonly found: readonly ResolvedPath[];
  readonly dangling: readonly DanglingLink[];
} {
  const found: ResolvedPath[] = [];
  const dangling: DanglingLink[] = [];
  for (const state of view.held()) {
    const { path, layer, catalogers } = state;
    const end = follow(view, state);
    const claims =
      end === undefined || end.missingTarget !== undefined ? undefined : claimsThrough(catalogers, end);
    if (claims !== undefined) found.push({ path, claims });
    else dangling.push({ path, target: state.linkTarget ?? state.missingTarget ?? '', layer });
  }
  return { found, dangling };
}

function follow(view: PathView, link: PathState): PathState | undefined {
  let end: PathState | undefined = link;
  for (let hops = 0; end?.linkTarget !== undefined; hops += 1) {
    if (hops === maxLinkHops) return undefined;
    end = view.at(end.linkTarget);
  }
  return end;
}
