import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRefusal, runCommand } from './command.ts';
import { lodashRecord, writePlainAdvisories } from './plain-advisories.ts';

describe('plimsoll advisories', () => {
  let root: string;
  let bucket: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'plimsoll-cli-advisories-'));
    bucket = join(root, 'bucket');
    writePlainAdvisories(bucket, {
      npm: [lodashRecord],
      PyPI: [{ ...lodashRecord, id: 'GHSA-test-0000-0002' }],
    });
  });
  afterAll(() => rm(root, { recursive: true }));

  it('synchronises a folder, says what was left out, and does nothing the second time', async () => {
    const folder = join(root, 'synced');
    const first = await runCommand(['advisories', 'sync', '--to', folder, '--from', bucket]);
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(first.stdout).toContain('Revision 1: 1 records about 1 packages');
    expect(first.stdout).toContain('other-ecosystem 1');
    const second = await runCommand(['advisories', 'sync', '--to', folder, '--from', bucket]);
    expect(second.stdout).toContain('Revision 1 is up to date.');
    const info = await runCommand(['advisories', 'info', '--advisories', folder, '--format', 'json']);
    expect(JSON.parse(info.stdout)).toMatchObject({
      revision: 1,
      records: 1,
      packages: 1,
      ecosystems: [{ name: 'npm', packages: 1, rows: 1 }],
    });
    const table = await runCommand(['advisories', 'info'], { env: { PLIMSOLL_ADVISORIES: folder } });
    expect(table.stdout).toContain('npm: 1 packages, 1 rows');
  });

  it('prints nothing of a folder as it stands there: somebody else may have made it', async () => {
    const folder = join(root, 'foreign');
    await runCommand(['advisories', 'sync', '--to', folder, '--from', bucket]);
    const pointer = join(folder, 'plimsoll-advisories.json');
    const published = JSON.parse(await readFile(pointer, 'utf8'));
    await writeFile(pointer, JSON.stringify({ ...published, newestAt: '\u001b]0;title\u0007\u202e' }));
    const { stdout } = await runCommand(['advisories', 'info', '--advisories', folder]);
    expect(stdout).toContain('Newest record: \ufffd]0;title\ufffd\ufffd\n');
  });

  it('says what a plain copy of the bucket holds', async () => {
    const info = await runCommand(['advisories', 'info', '--advisories', bucket, '--format', 'json']);
    expect(JSON.parse(info.stdout)).toMatchObject({
      revision: null,
      ecosystems: [{ name: 'PyPI' }, { name: 'npm' }],
    });
    const table = await runCommand(['advisories', 'info', '--advisories', bucket]);
    expect(table.stdout).toContain('A copy of the OSV bucket');
  });

  it.each([
    ['no folder', ['sync', '--from', 'x']],
    ['another subcommand', ['list']],
    ['another option', ['sync', '--too', 'x']],
    ['an unknown format', ['info', '--advisories', 'x', '--format', 'xml']],
    ['a feed that is none', ['sync', '--to', 'x', '--from', '/nonexistent/feed']],
    ['a feed without TLS', ['sync', '--to', 'x', '--from', 'http://feeds.example.org/osv']],
    ['a folder that holds none', ['info', '--advisories', '/nonexistent/advisories']],
  ])('refuses %s in one line', async (_, args) => {
    const result = await runCommand(['advisories', ...args]);
    expect(isRefusal(result), JSON.stringify(result)).toBe(true);
  });

  it('names the ecosystems of the feed where the wanted one is not among them', async () => {
    const result = await runCommand([
      'advisories',
      'sync',
      '--to',
      join(root, 'other'),
      '--from',
      bucket,
      '--ecosystem',
      'Cobol',
    ]);
    expect(isRefusal(result)).toBe(true);
    expect(result.stderr).toContain('PyPI, npm');
  });
});
