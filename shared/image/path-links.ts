/** Symbolic links among the wanted paths of a composed image, followed to what is read there. */
import type { PathState, PathView } from './path-view.ts';

/** A path with what is to be read there, its links followed. */
export interface ResolvedPath {
  readonly path: string;
  readonly state: PathState;
}

/** A link that leads to no wanted path. */
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
  for (const link of view.held()) {
    const end = follow(view, link);
    const target = end === undefined ? link.linkTarget : end.missingTarget;
    if (end !== undefined && target === undefined) found.push({ path: link.path, state: end });
    else dangling.push({ path: link.path, target: target ?? '', layer: link.layer });
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
