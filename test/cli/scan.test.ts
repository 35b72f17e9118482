import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseReport } from '../../shared/reports/json.ts';
import { isRefusal, runCommand } from './command.ts';
import { lodashRecord, writePlainAdvisories } from './plain-advisories.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-scan-'));
const advisories = join(folder, 'advisories');
const root = join(folder, 'root');
const target = `dir:${root}`;
const scan = ['scan', target, '--advisories', advisories];

beforeAll(() => {
  mkdirSync(advisories);
  writePlainAdvisories(advisories, { npm: [lodashRecord] });
  write('root/app/node_modules/lodash/package.json', '{"name":"lodash","version":"4.17.15","license":"MIT"}');
  write('allow.yaml', 'name: allow\nrules:\n  - { id: known, on: finding, outcome: ignore }\n');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

describe('plimsoll scan', () => {
  it('prints the table and comes to exit code 1 where the verdict is fail', async () => {
    const result = await runCommand(scan);
    expect(result).toMatchObject({ exitCode: 1, stderr: '' });
    expect(result.stdout).toMatch(/^Image +dir:/);
    expect(result.stdout).toContain(
      'high      lodash   4.17.15    4.17.21  GHSA-test-0000-0001 (CVE-2099-0001)',
    );
    expect(result.stdout).toContain('Verdict     FAIL by policy default\n');
    expect(result.stdout).not.toContain('\u001B');
  });

  it('prints the report alone as JSON, with advisories from the environment', async () => {
    const result = await runCommand(['scan', target, '--format', 'json'], {
      env: { PLIMSOLL_ADVISORIES: advisories },
    });
    expect(result).toMatchObject({ exitCode: 1, stderr: '' });
    const report = parseReport(Buffer.from(result.stdout), 'stdout');
    expect(report.packages.map((found) => found.purl)).toEqual(['pkg:npm/lodash@4.17.15']);
    expect(report.findings).toMatchObject([
      { id: 'GHSA-test-0000-0001', severity: 'high', fixedVersion: '4.17.21', fixState: 'fixed' },
    ]);
    expect(report.verdict).toMatchObject({
      decision: 'fail',
      policy: { name: 'default' },
      engineRevision: 1,
    });
    expect(report.advisories.revision).toBe(null);
  });

  it('lets the policy of a file decide', async () => {
    const result = await runCommand([...scan, '--policy', join(folder, 'allow.yaml')]);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toContain('Verdict     PASS by policy allow\n');
  });

  it('writes the report to a file, whole, and nothing to stdout', async () => {
    const output = write('out/report.json', 'an older report');
    symlinkSync('report.json', join(folder, 'out/latest.json'));
    const result = await runCommand([
      ...scan,
      '--format',
      'json',
      '--output',
      join(folder, 'out/latest.json'),
    ]);
    expect(result).toMatchObject({ exitCode: 1, stdout: '', stderr: '' });
    expect(parseReport(readFileSync(output), output).verdict.decision).toBe('fail');
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(['latest.json', 'report.json']);
  });

  it('writes to what is no ordinary file as it is', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('/usr/bin/mkfifo', [pipe]);
    const [result, written] = await Promise.all([
      runCommand([...scan, '--output', pipe]),
      readFile(pipe, 'utf8'),
    ]);
    expect(result).toMatchObject({ exitCode: 1, stdout: '', stderr: '' });
    expect(written).toContain('Verdict     FAIL');
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  });

  it('has no verdict for whoever cannot be given the report', async () => {
    const result = await runCommand(scan, { stdoutTo: '/dev/full' });
    expect(result.stderr).toContain('found ENOSPC');
    expect(isRefusal(result)).toBe(true);
  });

  it('ends with the verdict where the reader of stdout goes away', async () => {
    const result = await runCommand(scan, { onStart: (child) => child.stdout?.destroy() });
    expect(result).toMatchObject({ exitCode: 1, signal: null, stderr: '' });
  });

  it.each<[string, () => string[], string]>([
    [
      'a policy that is not there',
      () => [...scan, '--policy', join(folder, 'none.yaml')],
      'none.yaml: expected a policy in JSON or YAML, found ENOENT',
    ],
    ['a policy that is a folder', () => [...scan, '--policy', folder], 'found EISDIR'],
    [
      'a policy that never ends',
      () => [...scan, '--policy', '/dev/zero'],
      'expected a policy in JSON or YAML of at most',
    ],
    [
      'a policy with a fault',
      () => [...scan, '--policy', write('bad.yaml', 'rules:\n - id: a\n   on: finding\n   outcome: stop')],
      'bad.yaml line 4, rules[0].outcome: expected one of fail, warn, ignore, found "stop"',
    ],
    [
      'an output in no folder',
      () => [...scan, '--output', join(folder, 'none/report')],
      'expected a file that can be written, found ENOENT',
    ],
    ['a folder as output', () => [...scan, '--output', root], 'found EISDIR'],
    ['a root that is not there', () => ['scan', `dir:${folder}/none`, '--advisories', advisories], 'none'],
    ['a folder that holds no image', () => ['scan', `oci:${root}`, '--advisories', advisories], 'oci'],
    ['a folder without advisories', () => ['scan', target, '--advisories', root], 'advisories'],
    ['an SBOM', () => ['scan', 'sbom:bom.json', '--advisories', advisories], 'SBOM'],
    ['no target', () => ['scan', 'debian', '--advisories', advisories], 'debian'],
    [
      'a registry that does not answer',
      () => ['scan', '127.0.0.1:9/app:v1', '--advisories', advisories],
      '127.0.0.1:9',
    ],
  ])('refuses %s', async (_, args, message) => {
    const result = await runCommand(args());
    expect(result.stderr).toContain(message);
    expect(isRefusal(result)).toBe(true);
  });
});
