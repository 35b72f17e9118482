import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../shared/domain/report.ts';
import { parseReport } from '../../shared/reports/json.ts';
import type { TestEntry } from '../support/tar-writer.ts';
import { isRefusal, runCommand } from './command.ts';
import { type LayoutLayer, writeLayout } from './layout-folder.ts';
import { lodashRecord, writePlainAdvisories } from './plain-advisories.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-layers-'));
const advisories = join(folder, 'advisories');

beforeAll(() => {
  mkdirSync(advisories);
  writePlainAdvisories(advisories, { npm: [lodashRecord] });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function npmPackage(name: string, version: string): TestEntry {
  return { path: `app/node_modules/${name}/package.json`, content: JSON.stringify({ name, version }) };
}

const harmless: LayoutLayer = { entries: [npmPackage('harmless', '1.0.0')] };
const vulnerable: LayoutLayer = { entries: [npmPackage('lodash', '4.17.15')] };

async function scan(
  name: string,
  layers: readonly LayoutLayer[],
): Promise<{ exitCode: number | null; report: Report }> {
  const layout = join(folder, name);
  writeLayout(layout, [{ layers }]);
  const args = ['scan', `oci:${layout}`, '--advisories', advisories, '--format', 'json'];
  const result = await runCommand(args);
  expect(result.stderr).toBe('');
  return { exitCode: result.exitCode, report: parseReport(Buffer.from(result.stdout), 'stdout') };
}

describe('plimsoll scan of an OCI layout', () => {
  it('finds each package in the layer that brought it', async () => {
    const { exitCode, report } = await scan('whole', [harmless, vulnerable]);
    expect(report.packages.map(({ purl, layer }) => [purl, layer])).toEqual([
      ['pkg:npm/harmless@1.0.0', report.layers[0]?.digest],
      ['pkg:npm/lodash@4.17.15', report.layers[1]?.digest],
    ]);
    expect(report.findings.map((finding) => finding.layer)).toEqual([report.layers[1]?.digest]);
    expect(report.coverage).toEqual({ complete: true, issues: [] });
    expect(exitCode).toBe(1);
  });

  it('does not find what a higher layer removes', async () => {
    const removing: LayoutLayer = { entries: [{ path: 'app/node_modules/.wh.lodash' }] };
    const { exitCode, report } = await scan('removed', [vulnerable, removing, harmless]);
    expect(report.packages.map((found) => found.name)).toEqual(['harmless']);
    expect(exitCode).toBe(0);
  });

  it('reads a layer once that the image has twice', async () => {
    const removing: LayoutLayer = { entries: [{ path: 'app/node_modules/.wh.lodash' }] };
    const { report } = await scan('twice', [vulnerable, removing, vulnerable]);
    expect(report.packages.map((found) => found.name)).toEqual(['lodash']);
    expect(report.layers).toHaveLength(3);
  });

  it.each([
    ['changed', 'LAYER_DIGEST_MISMATCH'],
    ['absent', 'LAYER_NOT_AVAILABLE'],
    ['foreign', 'LAYER_NOT_AVAILABLE'],
    ['truncated', 'BROKEN_ARCHIVE'],
  ] as const)('fails, and says why, where a layer is %s', async (fault, code) => {
    const { exitCode, report } = await scan(`fault-${fault}`, [harmless, { ...vulnerable, fault }]);
    const issues = report.coverage.issues.filter((issue) => issue.code === code);
    expect(issues.map((issue) => issue.layer)).toEqual([report.layers[1]?.digest]);
    expect(report.packages.map((found) => found.name)).toContain('harmless');
    expect(report.verdict.decision).toBe('fail');
    expect(exitCode).toBe(1);
  });

  it('takes from an index what --platform says, and else refuses and names what there is', async () => {
    const layout = join(folder, 'index');
    writeLayout(layout, [
      { layers: [harmless], architecture: 's390x' },
      { layers: [vulnerable], architecture: 'riscv64' },
    ]);
    const args = ['scan', `oci:${layout}:v1`, '--advisories', advisories, '--format', 'json'];
    const chosen = await runCommand([...args, '--platform', 'linux/s390x']);
    expect(chosen).toMatchObject({ exitCode: 0, stderr: '' });
    expect(parseReport(Buffer.from(chosen.stdout), 'stdout').target.platform.architecture).toBe('s390x');
    for (const more of [[], ['--platform', 'linux/arm']]) {
      const refused = await runCommand([...args, ...more]);
      expect(refused.stderr).toContain('linux/s390x, linux/riscv64');
      expect(isRefusal(refused)).toBe(true);
    }
  });
});
