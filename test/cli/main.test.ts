import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRefusal, runCommand } from './command.ts';

describe('the command', () => {
  it('prints its version', async () => {
    const manifest: unknown = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    const result = await runCommand(['--version']);
    expect(manifest).toMatchObject({ version: result.stdout.trim() });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it.each([[['--help']], [['help']], [['scan', '--help']]])('prints its help on %j', async (args) => {
    const result = await runCommand(args);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    for (const word of ['scan <target>', 'advisories sync', 'gate <reference>', 'versions compare']) {
      expect(result.stdout).toContain(word);
    }
  });

  it.each<[string[], string]>([
    [[], 'expected a command'],
    [['scann'], 'found "scann"'],
    [['constructor'], 'found "constructor"'],
    [['scan'], 'scan: expected <target>, found none'],
    [['scan', 'oci:a', 'oci:b'], 'scan: expected <target>, found oci:a oci:b'],
    [['scan', 'oci:a', '--colour'], "scan: Unknown option '--colour'"],
    [['scan', 'oci:a', '--format'], "'--format <value>' argument missing"],
    [['scan', 'oci:a', '--format', 'xml'], 'expected --format table or json, found "xml"'],
    [['scan', 'oci:a', '--format', 'sarif'], 'found "sarif", which is not built yet'],
    [['scan', 'oci:a', '--platform', 'linux'], 'expected --platform os/arch[/variant]'],
    [['scan', 'oci:a'], 'plimsoll advisories sync --to DIR'],
    [['scan', 'oci:a', '--advisories', '/nonexistent/adv'], 'plimsoll advisories sync --to DIR'],
    [['gate'], 'gate: expected <reference>, found none'],
    [['gate', 'registry.example.com/app:v1'], 'expected --server'],
    [['advisories'], 'expected advisories sync or advisories info'],
    [['versions', 'compare', 'Nowhere'], '"Nowhere"'],
  ])('refuses %j with exit code 2 and one line that says why', async (args, message) => {
    const result = await runCommand(args);
    expect(result.stderr).toContain(message);
    expect(isRefusal(result)).toBe(true);
  });

  it('lets no argument reach the terminal as anything but text', async () => {
    const result = await runCommand(['\u001B[31mred\u202E\nplimsoll: all is well']);
    expect(result.stderr).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
    expect(isRefusal(result)).toBe(true);
  });

  it('loads before it knows the subcommand only what every one needs', () => {
    expect([...loadedAtStart('shared/cli/main.ts')].sort()).toEqual([
      'shared/cli/io.ts',
      'shared/cli/main.ts',
      'shared/domain/errors.ts',
      'shared/domain/tool.ts',
      'shared/reports/safe-text.ts',
    ]);
  });
});

/** The file and what it imports when it is loaded, types aside. */
function loadedAtStart(path: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  for (const [, specifier = ''] of text.matchAll(/^import (?!type )[^;]*?from '(\.[^']*)';/gm)) {
    loadedAtStart(join(dirname(path), specifier), seen);
  }
  return seen;
}
