/** A file system as a plain model, to which layers are applied one after the other by the rules of the OCI image
 *  specification (layer.md), and the archives that say the same. It shares no code with what composes inventories. */

import { type TestEntry, writeTar } from '../support/tar-writer.ts';

export type ModelNode =
  | { readonly kind: 'directory' }
  | { readonly kind: 'file'; readonly content: string }
  | { readonly kind: 'symlink'; readonly target: string };

/** Nodes by path without leading slash; the root is not listed. */
export type ModelFileSystem = ReadonlyMap<string, ModelNode>;

/** One entry of a layer, in the order of the archive. */
export type LayerEntry =
  | { readonly kind: 'file'; readonly path: string; readonly content: string }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'hardlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'whiteout'; readonly path: string }
  | { readonly kind: 'opaque'; readonly path: string };

/** The file system with one more layer. Whiteouts concern lower layers only, so they come first. An entry that can't be
 *  unpacked is left out: a hard link to what is no file, a path below what the same layer made no directory. The second
 *  value lists what was unpacked. */
export function applyLayer(
  lower: ModelFileSystem,
  entries: readonly LayerEntry[],
): { readonly result: ModelFileSystem; readonly unpacked: readonly LayerEntry[] } {
  const result = new Map(lower);
  for (const entry of entries) {
    if (entry.kind === 'whiteout') removeTree(result, entry.path);
    if (entry.kind === 'opaque') removeBelow(result, entry.path);
  }
  const own = new Map<string, LayerEntry>();
  const unpacked = entries.filter((entry) => unpack(result, entry, own));
  return { result, unpacked };
}

/** One layer that holds the whole file system. */
export function squash(fileSystem: ModelFileSystem): readonly LayerEntry[] {
  return [...fileSystem].map(([path, node]) => ({ ...node, path }));
}

/** A tar archive of the entries. */
export function archive(entries: readonly LayerEntry[]): Buffer {
  return writeTar(entries.map(tarEntry));
}

/** `own` holds what this layer put that is no directory. */
function unpack(target: Map<string, ModelNode>, entry: LayerEntry, own: Map<string, LayerEntry>): boolean {
  if (entry.kind === 'whiteout' || entry.kind === 'opaque') return true;
  if (ancestors(entry.path).some((path) => own.has(path))) return false;
  const source = entry.kind === 'hardlink' ? target.get(entry.target) : undefined;
  if (entry.kind === 'hardlink' && (source?.kind !== 'file' || isWithin(entry.target, entry.path)))
    return false;
  // Archives name the first path of a file in all its links. A link to a link to a file that the layer replaced in
  // between is not among what the reader promises to tell apart.
  if (entry.kind === 'hardlink' && isLinkToReplaced(own, entry.target)) return false;
  // An archive names the directories above a directory: none replaces a lower file unnamed.
  const needed = ancestors(entry.path).filter((path) => target.get(path)?.kind !== 'directory');
  if (entry.kind === 'directory' && needed.some((path) => target.has(path))) return false;
  for (const path of needed) makeDirectory(target, path);
  if (entry.kind === 'directory') {
    makeDirectory(target, entry.path);
    own.delete(entry.path);
    return true;
  }
  removeTree(target, entry.path);
  own.set(entry.path, entry);
  if (entry.kind === 'file') target.set(entry.path, { kind: 'file', content: entry.content });
  else if (entry.kind === 'symlink') target.set(entry.path, { kind: 'symlink', target: entry.target });
  else if (source !== undefined) target.set(entry.path, source);
  return true;
}

function isLinkToReplaced(own: ReadonlyMap<string, LayerEntry>, path: string): boolean {
  const link = own.get(path);
  return link?.kind === 'hardlink' && (own.has(link.target) || isLinkToReplaced(own, link.target));
}

/** Every directory above the path, from the top. */
export function ancestors(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}

function makeDirectory(target: Map<string, ModelNode>, path: string): void {
  if (target.get(path)?.kind !== 'directory') target.set(path, { kind: 'directory' });
}

function isWithin(path: string, tree: string): boolean {
  return path === tree || path.startsWith(`${tree}/`);
}

function removeTree(target: Map<string, ModelNode>, path: string): void {
  target.delete(path);
  removeBelow(target, path);
}

function removeBelow(target: Map<string, ModelNode>, directory: string): void {
  for (const path of [...target.keys()]) {
    if (directory === '' || path.startsWith(`${directory}/`)) target.delete(path);
  }
}

function tarEntry(entry: LayerEntry): TestEntry {
  const slash = entry.path.lastIndexOf('/') + 1;
  switch (entry.kind) {
    case 'file':
      return { path: entry.path, content: entry.content };
    case 'directory':
      return { path: `${entry.path}/`, type: 'directory' };
    case 'symlink':
    case 'hardlink':
      return { path: entry.path, type: entry.kind, link: entry.target };
    case 'whiteout':
      return { path: `${entry.path.slice(0, slash)}.wh.${entry.path.slice(slash)}` };
    case 'opaque':
      return { path: `${entry.path === '' ? '' : `${entry.path}/`}.wh..wh..opq` };
  }
}
