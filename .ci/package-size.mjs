// States how large what is deployed is: bytes of dist/ by kind and of the zip-like tarball that `npm pack` would make.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');

if (!existsSync(join(dist, 'package.json'))) {
  process.stderr.write(`plimsoll: expected the built app in ${dist}, found none: npm run build first\n`);
  process.exit(1);
}
const sizes = new Map();
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) {
    const kind = extname(entry.name) || entry.name;
    sizes.set(kind, (sizes.get(kind) ?? 0) + statSync(join(entry.parentPath, entry.name)).size);
  }
}
const packed = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: dist, encoding: 'utf8' }),
);
const [pack] = Array.isArray(packed) ? packed : Object.values(packed);
for (const [kind, bytes] of [...sizes].sort(([, a], [, b]) => b - a)) {
  process.stdout.write(`${String(bytes).padStart(10)} bytes  ${kind}\n`);
}
const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
process.stdout.write(
  `${String(total).padStart(10)} bytes  dist/ in ${pack.entryCount} files, ${pack.size} bytes packed\n`,
);
