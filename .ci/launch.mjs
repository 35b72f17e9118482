// Starts a program of this repository on the Node it needs: `node .ci/launch.mjs start|test|… [arguments]`.
// Node 20 runs this file as it is. It installs what is missing, then goes on with the Node 24 among the packages.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What each word of the command line runs, relative to the repository. */
const programs = {
  start: ['shared/local/start.ts'],
  test: ['node_modules/vitest/vitest.mjs', 'run', '--coverage'],
  build: ['.ci/build.mjs'],
  'package-size': ['.ci/package-size.mjs'],
  plimsoll: ['shared/cli/main.ts'],
  'bench:layers': ['bench/read-layer.ts'],
  'bench:advisories': ['bench/advisories.ts'],
  'bench:startup': ['bench/startup.ts'],
  'bench:webhook': ['bench/webhook.ts'],
};

/** The first Node that runs `.ts` files as they are. */
const oldestNode = [22, 18];

main(process.argv[2], process.argv.slice(3));

function main(name, rest) {
  const program = Object.hasOwn(programs, name ?? '') ? programs[name] : undefined;
  if (program === undefined) {
    fail(`expected one of ${Object.keys(programs).join(', ')}, found ${name ?? 'nothing'}`);
  }
  if (!isInstalled()) {
    install();
  }
  run(findNode(), [...program, ...rest]);
}

/** True where every package of the lockfile that this system needs lies in node_modules in the locked version. */
function isInstalled() {
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  const locked = readPackages(join(root, 'package-lock.json'));
  if (installed === undefined || locked === undefined) {
    return false;
  }
  return Object.entries(locked).every(([path, entry]) => {
    if (path === '' || entry.link === true) {
      return true;
    }
    const found = installed[path];
    return found === undefined ? entry.optional === true : found.version === entry.version;
  });
}

function readPackages(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined;
}

function install() {
  process.stderr.write('Installing the packages of the lockfile …\n');
  const npm = process.env.npm_execpath;
  const words = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] };
  const result =
    npm === undefined
      ? spawnSync('npm', words, options)
      : spawnSync(process.execPath, [npm, ...words], options);
  if (result.status !== 0) {
    fail('npm ci failed: see its message above, then try again');
  }
}

/** Node 24 of the packages where there is one for this system, else the Node that runs this file if it is new enough. */
function findNode() {
  const packaged = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  // A Linux with another C library has the package, but can't run it.
  if (existsSync(packaged) && spawnSync(packaged, ['--version'], { stdio: 'ignore' }).status === 0) {
    return packaged;
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) {
    return process.execPath;
  }
  return fail(
    `expected Node ${oldestNode.join('.')} or later on ${process.platform}-${process.arch}, found ${process.versions.node}: install a newer Node and try again`,
  );
}

function run(node, words) {
  const [script, ...rest] = words;
  const child = spawn(node, [join(root, script), ...rest], { cwd: root, stdio: 'inherit' });
  // Ctrl-C reaches the child by itself; the launcher stays until the child has cleaned up.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  // A shell between npm and this file hands on no signal: whoever started this being gone is what is seen of one.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) {
      return;
    }
    clearInterval(watch);
    child.kill('SIGTERM');
  }, 500);
  watch.unref();
  child.on('error', (error) => fail(`${node} did not start: ${error.message}`));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}

function fail(message) {
  process.stderr.write(`plimsoll: ${message}\n`);
  process.exit(2);
}
