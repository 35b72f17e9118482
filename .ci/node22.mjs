// Runs vitest on Node 22, Azure's stable choice: `node .ci/node22.mjs [arguments of vitest run]`.
// The Node comes from $PLIMSOLL_NODE22, else from the package node-linux-<architecture> of npm's registry, kept in a
// folder outside the lockfile: the product itself does not depend on it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Exact, so that a run can be repeated. */
const version = '22.23.3';
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What has to run on Node 22 as well: all that knows neither Azure nor this machine. */
const engine = [
  'base',
  'domain',
  'image',
  'catalogers',
  'versions',
  'advisories',
  'matching',
  'policy',
  'reports',
];

const node = process.env.PLIMSOLL_NODE22 ?? fetchNode();
const words = process.argv.length > 2 ? process.argv.slice(2) : engine.map(findTests);
process.stderr.write(
  `Node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '?'}: ${words.join(' ')}\n`,
);
const result = spawnSync(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...words], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = result.status ?? 1;

/** The folder of a room's tests; a room without any may not pass for one whose tests pass. */
function findTests(room) {
  const folder = join(root, 'test', room);
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  if (!names.some((name) => String(name).endsWith('.test.ts'))) {
    process.stderr.write(`plimsoll: expected tests in test/${room}, found none\n`);
    process.exit(2);
  }
  return `test/${room}/`;
}

function fetchNode() {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, 'node_modules', '.cache', `node22-${version}`);
  const path = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(path)) {
    const words = [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--ignore-scripts',
      '--loglevel=error',
      `${name}@${version}`,
    ];
    if (
      spawnSync('npm', words, { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0 ||
      !existsSync(path)
    ) {
      process.stderr.write(
        `plimsoll: no Node ${version} for this system in the registry: set PLIMSOLL_NODE22 to a Node 22\n`,
      );
      process.exit(2);
    }
  }
  return path;
}
