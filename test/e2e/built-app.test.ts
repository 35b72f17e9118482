import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const startedSchema = z.object({
  url: z.string(),
  functions: z.array(z.object({ name: z.string(), trigger: z.string(), error: z.string().optional() })),
});

/** Settings that are well formed and lead nowhere: port 9 (discard) answers nobody. */
const settings = {
  PLIMSOLL_ALLOW_LOOPBACK: 'true',
  PLIMSOLL_QUEUE_SERVICE_URI: 'https://127.0.0.1:9/account',
  PLIMSOLL_BLOB_SERVICE_URI: 'https://127.0.0.1:9/account',
  PLIMSOLL_COSMOS_ENDPOINT: 'https://127.0.0.1:9',
  PLIMSOLL_KEY_VAULT_URI: 'https://127.0.0.1:9',
};

let folder = '';
let app = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-built-'));
  const built = join(folder, 'dist');
  execFileSync(process.execPath, [fromHere('../../.ci/build.mjs'), '--out', built]);
  app = join(folder, 'alone');
  cpSync(built, app, { recursive: true });
  rmSync(built, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the built app, copied alone into an empty folder', () => {
  it('holds a file for each trigger and needs no package', () => {
    const triggers = readdirSync(fromHere('../../functions')).filter((name) => /^[a-z].*\.ts$/.test(name));
    const built = readdirSync(join(app, 'functions')).filter((name) => name.endsWith('.js'));
    expect(triggers.length).toBeGreaterThan(10);
    expect(built.map((name) => basename(name, '.js'))).toEqual(triggers.map((name) => basename(name, '.ts')));
    expect(existsSync(join(app, 'node_modules'))).toBe(false);
    expect(JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'))).not.toHaveProperty('dependencies');
  });

  it('loads in the runner and answers', async () => {
    const child = spawn(process.execPath, [fromHere('built-app-entry.ts'), app], {
      env: { ...process.env, ...settings },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const [line] = await once(createInterface(child.stdout), 'line');
      const { url, functions } = startedSchema.parse(JSON.parse(String(line)));
      expect(functions.filter((one) => one.error !== undefined)).toEqual([]);
      expect(new Set(functions.map((one) => one.trigger))).toEqual(new Set(['http', 'queue', 'timer']));
      // Without a token nothing is asked of anybody, so the answer needs no service.
      const refused = await fetch(`${url}/api/webhooks/distribution`, { method: 'POST', body: '{}' });
      expect([refused.status, refused.headers.get('content-type')]).toEqual([
        401,
        'application/problem+json; charset=utf-8',
      ]);
    } finally {
      child.stdin.end();
      await once(child, 'exit');
    }
  });

  it('brings a command that runs by itself', () => {
    const ran = spawnSync(
      process.execPath,
      [join(app, 'cli.js'), 'versions', 'compare', 'Debian', '1.0', '1.1'],
      {
        encoding: 'utf8',
      },
    );
    expect([ran.status, ran.stdout, ran.stderr]).toEqual([0, '<\n', '']);
  });

  it('starts that command in at most three times the time of node alone', () => {
    const commandMs: number[] = [];
    const nodeMs: number[] = [];
    for (let run = 0; run < 15; run += 1) {
      commandMs.push(measureMs([join(app, 'cli.js'), '--version']));
      nodeMs.push(measureMs(['-e', '0']));
    }
    expect(median(commandMs) / median(nodeMs)).toBeLessThanOrEqual(3);
  });
});

function measureMs(words: readonly string[]): number {
  const from = performance.now();
  expect(spawnSync(process.execPath, words).status).toBe(0);
  return performance.now() - from;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
