/** Which part of the distribution API a path means (distribution-spec, "Endpoints"). */
import { type Digest, parseDigest } from '../domain/digest.ts';
import { isRepository, isTag } from '../domain/reference.ts';

export type RegistryRoute =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  /** `reference` is a tag or a sha256 digest, checked: it becomes a path. */
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string };

/** The route, or undefined where the path is none or holds a name that is none. */
export function parseRoute(pathname: string): RegistryRoute | undefined {
  if (pathname === '/v2' || pathname === '/v2/') return { kind: 'base' };
  if (pathname === '/v2/_catalog') return { kind: 'catalog' };
  const match = /^\/v2\/(.{1,255})\/(tags|blobs|manifests)\/([^/]{1,255}(?:\/[^/]{0,255})?)$/.exec(pathname);
  if (match === null) return undefined;
  const [, repository = '', area = '', rest = ''] = match;
  // `a/blobs/uploads/x`: the greedy name stops before the last area, which is right for every route.
  if (!isRepository(repository)) return undefined;
  if (area === 'tags') return rest === 'list' ? { kind: 'tags', repository } : undefined;
  if (area === 'manifests') {
    const isReference = isTag(rest) || parseDigest(rest) !== undefined;
    return isReference ? { kind: 'manifest', repository, reference: rest } : undefined;
  }
  const [first = '', id] = rest.split('/', 2);
  if (first === 'uploads') {
    return id === undefined || id === ''
      ? { kind: 'uploads', repository }
      : { kind: 'upload', repository, id };
  }
  const digest = parseDigest(rest);
  return digest === undefined ? undefined : { kind: 'blob', repository, digest };
}

export function repositoryOf(route: RegistryRoute): string | undefined {
  return 'repository' in route ? route.repository : undefined;
}
