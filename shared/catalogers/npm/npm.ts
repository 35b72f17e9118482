/** Installed npm packages, from the package.json of each directory in a node_modules. */
import { z } from 'zod';
import { excessOfJson, type JsonBounds } from '../../base/json-bounds.ts';
import type { Claim } from '../../domain/package.ts';
import type { Cataloger, LayerFile } from '../contract.ts';

/** Generated package.json files reach 1 MB; the whole file is held while it is parsed. */
const maxFileBytes = 4 * 1024 * 1024;
/** The largest real ones have some 30,000 values; a file of nothing but `[]` would become 150 MB. */
const bounds: JsonBounds = { maxValues: 100_000, maxDepth: 200 };

/** Reads `node_modules/<name>/package.json` and `node_modules/@<scope>/<name>/package.json` at any depth. The fields beat
 *  the directory, whose name may be an alias; without a name the directory names the package. A package.json without
 *  version is no package. An application's own package.json and npm's `.package-lock.json` prove nothing installed and
 *  are not wanted. */
export const npmCataloger: Cataloger = {
  name: 'npm',
  version: 2,
  maxFileBytes,
  wants(path) {
    return path.endsWith(fileName) && packageDirectory(path) !== undefined ? path : undefined;
  },
  async *catalog(files) {
    for (const file of files) {
      const claim = await readPackage(file);
      if (claim !== undefined) yield claim;
    }
  },
};

const fileName = '/package.json';
const modules = 'node_modules';

/** npm refuses names past 214 characters; old packages and other registries have a little more. */
const maxNameLength = 255;
const maxVersionLength = 512;
const maxLicenseLength = 1000;
const maxLicenses = 20;

const namePattern = /^(?:@[^\s/@%\\]+\/)?[^\s/@%\\]+$/u;
const versionPattern = /^[\x21-\x7e]+$/;

/** The fields that are used. Licences are only shown, so a strange one spoils nothing. */
const schema = z.object({
  name: z.string().max(maxNameLength).optional(),
  version: z.string().max(maxVersionLength).optional(),
  license: z.unknown().optional(),
  licenses: z.unknown().optional(),
});

/** `<name>` or `@<scope>/<name>` of a package.json that lies directly in a package's directory. */
function packageDirectory(path: string): string | undefined {
  const directory = path.slice(0, -fileName.length);
  const slash = directory.lastIndexOf('/');
  const name = directory.slice(slash + 1);
  if (name === '' || name.startsWith('.') || name.startsWith('@')) return undefined;
  const parent = slash < 0 ? '' : directory.slice(0, slash);
  if (isModules(parent)) return name;
  const parentSlash = parent.lastIndexOf('/');
  const scope = parent.slice(parentSlash + 1);
  const isScoped = scope.startsWith('@') && parentSlash >= 0 && isModules(parent.slice(0, parentSlash));
  return isScoped ? `${scope}/${name}` : undefined;
}

function isModules(directory: string): boolean {
  return directory === modules || directory.endsWith(`/${modules}`);
}

async function readPackage(file: LayerFile): Promise<Claim | undefined> {
  const { path } = file;
  const unreadable = (detail: string): Claim => ({ kind: 'unreadable', path, detail });
  const bytes = await file.bytes(maxFileBytes);
  const excess = excessOfJson(bytes, bounds);
  if (excess !== undefined) return unreadable(`expected a package.json, found ${excess}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return unreadable('expected JSON, found another text');
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return unreadable(
      `expected a package.json, found ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? ''}`,
    );
  }
  const { version, license, licenses } = parsed.data;
  if (version === undefined || version === '') return undefined;
  const name =
    parsed.data.name === undefined || parsed.data.name === '' ? packageDirectory(path) : parsed.data.name;
  if (name === undefined || !namePattern.test(name) || name.length > maxNameLength) {
    return unreadable(`expected a package name, found "${(name ?? '').slice(0, 80)}"`);
  }
  if (!versionPattern.test(version)) {
    return unreadable(`package ${name}: expected a version, found "${version.slice(0, 80)}"`);
  }
  const names = readLicenses(license ?? licenses);
  return {
    kind: 'package',
    type: 'npm',
    name,
    version,
    ...(names.length === 0 ? {} : { licenses: names }),
    evidence: 'installed',
    path,
  };
}

/** `"MIT"`, `{"type": "MIT"}` (old) or a list of those. */
function readLicenses(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value.slice(0, maxLicenses) : [value];
  return items.flatMap((item) => {
    const text = typeof item === 'object' && item !== null && 'type' in item ? item.type : item;
    return typeof text === 'string' && text !== '' && text.length <= maxLicenseLength ? [text] : [];
  });
}
