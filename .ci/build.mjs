// Builds what is installed: dist/functions/*.js for Azure, dist/cli.js for the command line, and dist/ as a complete
// Functions app of its own (host.json, package.json, no node_modules), so that copying dist/ is deploying it.
// `--out DIR` builds elsewhere, for tests.
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { out = join(root, 'dist') } = parseArgs({ options: { out: { type: 'string' } } }).values;
const dist = resolve(out);

/** CommonJS inside the bundles calls require, which ES modules lack. */
const requireBanner =
  "import { createRequire as createRequireOfBundle } from 'node:module';\nconst require = createRequireOfBundle(import.meta.url);";

/** What both builds share; target is Azure's stable Node. */
const shared = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  splitting: true,
  sourcemap: true,
  sourcesContent: false,
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // The worker provides it; it is in no package.
  external: ['@azure/functions-core'],
  banner: { js: requireBanner },
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
  metafile: true,
};

const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

const functions = await listFunctions();
if (functions.length === 0) {
  fail('expected a trigger in functions/*.ts, found none');
}
const results = [
  await build({
    ...shared,
    entryPoints: functions,
    outdir: join(dist, 'functions'),
    outbase: join(root, 'functions'),
  }),
  await build({ ...shared, entryPoints: { cli: join(root, 'shared/cli/main.ts') }, outdir: dist }),
];
await chmod(join(dist, 'cli.js'), 0o755);
refuseDevelopmentPackages(results);
await copyFile(join(root, 'host.json'), join(dist, 'host.json'));
await copyFile(join(root, 'LICENSE'), join(dist, 'LICENSE'));
await writeFile(join(dist, 'package.json'), `${JSON.stringify(describeApp(), undefined, 2)}\n`);
process.stdout.write(`dist: ${functions.length} functions, ${await sizeOf(dist)} bytes\n`);

async function listFunctions() {
  const names = await readdir(join(root, 'functions'));
  return names
    .filter((name) => name.endsWith('.ts') && !name.startsWith('_'))
    .sort()
    .map((name) => join(root, 'functions', name));
}

/** package.json of the built app: everything is bundled, so it names no dependency. */
function describeApp() {
  const { name, version, description, license, type, engines } = own;
  return {
    name,
    version,
    description,
    license,
    private: true,
    type,
    engines,
    main: 'functions/*.js',
    bin: { plimsoll: 'cli.js' },
  };
}

function refuseDevelopmentPackages(results) {
  const development = new Set([
    ...Object.keys(own.devDependencies),
    ...Object.keys(own.optionalDependencies),
  ]);
  // What a package of the product needs itself comes with that one, also where the tests name it too.
  const found = new Set(
    results
      .flatMap(({ metafile }) => Object.entries(metafile.inputs))
      .filter(([path]) => !path.startsWith('node_modules/'))
      .flatMap(([, input]) => input.imports.map(({ path }) => path))
      .flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])
      .filter((name) => development.has(name)),
  );
  if (found.size > 0) {
    fail(`expected no development package in the built app, found ${[...found].join(', ')}`);
  }
}

async function sizeOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function fail(message) {
  process.stderr.write(`plimsoll: ${message} (${relative(process.cwd(), dist) || dist})\n`);
  process.exit(1);
}
