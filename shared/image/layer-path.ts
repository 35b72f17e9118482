/** Paths of archive entries as paths in the image: what is safe, where links point, which names are whiteouts. */

/** Path without `./`, leading, doubled and trailing slashes; '' for the root; undefined where it has a `..` or a NUL. */
export function normalizePath(raw: string): string | undefined {
  // Archives made of a folder write `./` before and, for directories, `/` behind every path.
  const start = raw.startsWith('./') ? 2 : 0;
  const end = raw.endsWith('/') ? raw.length - 1 : raw.length;
  const path = start === 0 && end === raw.length ? raw : raw.slice(start, Math.max(start, end));
  if (!needsWork.test(path)) return path;
  if (path.includes('\0')) return undefined;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? undefined : parts.join('/');
}

/** Where a symbolic link at `path` points, as a path in the image: `..` ends at the root, as under chroot. */
export function resolveSymlink(path: string, target: string): string {
  const parts = target.startsWith('/') ? [] : path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** Everything before the last slash; '' for an entry of the root. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export type Whiteout =
  | { readonly kind: 'removes'; readonly path: string }
  | { readonly kind: 'opaque'; readonly directory: string }
  /** What AUFS kept for itself; no part of the image. */
  | { readonly kind: 'metadata' }
  | { readonly kind: 'invalid' };

/** What the name of an entry means (OCI image-spec, layer.md, "Whiteouts"); undefined for ordinary entries. */
export function readWhiteout(path: string): Whiteout | undefined {
  if (!path.includes('.wh.')) return undefined;
  const directory = directoryOf(path);
  if (`/${directory}/`.includes('/.wh..wh.')) return { kind: 'metadata' };
  const name = directory === '' ? path : path.slice(directory.length + 1);
  if (!name.startsWith('.wh.')) return undefined;
  if (name === '.wh..wh..opq') return { kind: 'opaque', directory };
  if (name.startsWith('.wh..wh.')) return { kind: 'metadata' };
  const removed = name.slice('.wh.'.length);
  // `.wh..` and `.wh...` would name the directory itself and its parent.
  if (removed === '' || removed === '.' || removed === '..') return { kind: 'invalid' };
  return { kind: 'removes', path: directory === '' ? removed : `${directory}/${removed}` };
}

/** Names at the root that eStargz adds for itself (stargz-snapshotter, docs/estargz.md). */
export function isEstargzMetadata(path: string): boolean {
  return path === 'stargz.index.json' || path === '.prefetch.landmark' || path === '.no.prefetch.landmark';
}

/** A leading, doubled or trailing slash, a `.` or `..` between slashes, nothing at all, or a NUL. */
const needsWork = /^\/|^$|\/$|\/\/|(?:^|\/)\.\.?(?:\/|$)|\0/;
