/** Reads the repository's own source files and what each of them imports, exports and reads. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, visitorKeys } from 'oxc-parser';

/** Absolute path of the repository. */
export const repositoryPath = fileURLToPath(new URL('../../', import.meta.url));

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path from the repository's root where the import is relative, else undefined. */
  readonly path: string | undefined;
  /** True where nothing is left of it when the code runs. */
  readonly typeOnly: boolean;
}

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly hasDefaultExport: boolean;
  /** True where the file does nothing but hand on what others export. */
  readonly isBarrel: boolean;
  readonly readsEnvironment: boolean;
}

/** Every TypeScript file under the folders, in order of path. A folder that is absent counts as empty. */
export function readSourceFiles(folders: readonly string[]): readonly SourceFile[] {
  return folders
    .flatMap((folder) => listFiles(folder))
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(repositoryPath, path), 'utf8')));
}

/** Paths of all files under a folder; fixtures are left out, for they are data. */
export function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(join(repositoryPath, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(repositoryPath, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .filter((path) => !/(^|\/)(fixtures|node_modules)\//.test(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return [];
    }
    throw error;
  }
}

/** What one source text imports, exports and reads. Throws where the text does not parse. */
export function parseSource(path: string, text: string): SourceFile {
  const parsed = parseSync(path, text, { sourceType: 'module' });
  if (parsed.errors.length > 0) {
    throw new Error(`expected ${path} to parse, found: ${parsed.errors[0]?.message ?? 'an error'}`);
  }
  const imports: Import[] = [];
  let hasDefaultExport = false;
  let readsEnvironment = false;
  const add = (source: unknown, typeOnly: boolean): void => {
    const specifier = literalOf(source);
    if (specifier !== undefined) {
      imports.push({ specifier, path: resolveRelative(path, specifier), typeOnly });
    }
  };
  for (const node of walk(parsed.program)) {
    switch (node['type']) {
      case 'ImportDeclaration':
        add(node['source'], isTypeOnlyImport(node));
        readsEnvironment ||= importsEnvironment(node);
        break;
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration':
        add(node['source'], node['exportKind'] === 'type');
        break;
      case 'ExportDefaultDeclaration':
        hasDefaultExport = true;
        break;
      case 'ImportExpression':
        add(node['source'], false);
        break;
      case 'TSImportType':
        add(node['source'] ?? node['argument'], true);
        break;
      case 'VariableDeclarator':
        readsEnvironment ||= isNamed(node['init'], 'process') && takesEnvironment(node['id']);
        break;
      case 'MemberExpression':
        readsEnvironment ||= isNamed(node['object'], 'process') && isNamed(node['property'], 'env');
        break;
    }
  }
  return { path, text, imports, hasDefaultExport, isBarrel: isBarrel(parsed.program.body), readsEnvironment };
}

type SyntaxNode = Readonly<Record<string, unknown>>;

function* walk(root: unknown): Generator<SyntaxNode> {
  const left: unknown[] = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (Array.isArray(value)) {
      left.push(...value);
    } else if (isNode(value)) {
      yield value;
      left.push(...(visitorKeys[String(value['type'])] ?? []).map((key) => value[key]));
    }
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function literalOf(value: unknown): string | undefined {
  return isNode(value) && typeof value['value'] === 'string' ? value['value'] : undefined;
}

function isNamed(value: unknown, name: string): boolean {
  return isNode(value) && (value['name'] === name || value['value'] === name);
}

function isTypeOnlyImport(node: SyntaxNode): boolean {
  const specifiers = node['specifiers'];
  return (
    node['importKind'] === 'type' ||
    (Array.isArray(specifiers) &&
      specifiers.length > 0 &&
      specifiers.every((one) => isNode(one) && one['importKind'] === 'type'))
  );
}

function importsEnvironment(node: SyntaxNode): boolean {
  const specifiers = node['specifiers'];
  return (
    /^(node:)?process$/.test(literalOf(node['source']) ?? '') &&
    Array.isArray(specifiers) &&
    specifiers.some((one) => isNode(one) && isNamed(one['imported'], 'env'))
  );
}

function takesEnvironment(pattern: unknown): boolean {
  const properties = isNode(pattern) ? pattern['properties'] : undefined;
  return Array.isArray(properties) && properties.some((one) => isNode(one) && isNamed(one['key'], 'env'));
}

function isBarrel(body: readonly unknown[]): boolean {
  return (
    body.length > 0 &&
    body.every(
      (node) =>
        isNode(node) &&
        (node['type'] === 'ExportAllDeclaration' ||
          (node['type'] === 'ExportNamedDeclaration' && isNode(node['source']))),
    )
  );
}

function resolveRelative(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(dirname(from), specifier) : undefined;
}
