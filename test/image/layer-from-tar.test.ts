import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuesOf, read, tellingCataloger } from '../support/layer-reading.ts';
import { inChunks } from '../support/tar-writer.ts';

const isGnu = spawnSync('tar', ['--version']).stdout?.includes('GNU tar') ?? false;
const hasBsdtar = spawnSync('bsdtar', ['--version']).status === 0;

const writers: readonly (readonly [
  name: string,
  isThere: boolean,
  command: string,
  args: readonly string[],
])[] = [
  ['GNU tar, gnu format', isGnu, 'tar', ['--format=gnu']],
  ['GNU tar, pax format', isGnu, 'tar', ['--format=pax']],
  ['GNU tar, oldgnu, sparse', isGnu, 'tar', ['--format=oldgnu', '-S']],
  ['GNU tar, gnu, sparse', isGnu, 'tar', ['--format=gnu', '-S']],
  ['GNU tar, pax, sparse 0.0', isGnu, 'tar', ['--format=pax', '-S', '--sparse-version=0.0']],
  ['GNU tar, pax, sparse 0.1', isGnu, 'tar', ['--format=pax', '-S', '--sparse-version=0.1']],
  ['GNU tar, pax, sparse 1.0', isGnu, 'tar', ['--format=pax', '-S', '--sparse-version=1.0']],
  ['bsdtar, pax', hasBsdtar, 'bsdtar', ['--format=pax']],
  ['bsdtar, gnutar', hasBsdtar, 'bsdtar', ['--format=gnutar']],
];

/** A folder with what archives have trouble with; the files are the expected values. */
describe('an archive that another program made holds what lies in the folder', () => {
  let folder = '';
  const expected: Record<string, string> = {};
  const put = (path: string, content: Buffer) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
    expected[path] = describeContent(content);
  };
  /** Writes data at offsets and leaves holes between them. */
  const putSparse = (path: string, size: number, offsets: readonly number[]) => {
    const content = Buffer.alloc(size);
    const file = openSync(join(folder, path), 'w');
    for (const offset of offsets) {
      content.write(`data at ${offset}`, offset);
      writeSync(file, `data at ${offset}`, offset);
    }
    closeSync(file);
    truncateSync(join(folder, path), size);
    expected[path] = describeContent(content);
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-tar-'));
    put('empty.txt', Buffer.alloc(0));
    put('etc/short.txt', Buffer.from('short'));
    put('etc/block.txt', Buffer.alloc(512, 'b'));
    put('etc/large.txt', Buffer.alloc(700_000, 'large '));
    put(`${'deep/'.repeat(30)}x.txt`, Buffer.from('deep'));
    put(`${'n'.repeat(200)}.txt`, Buffer.from('long name'));
    put(`${'d'.repeat(120)}/${'e'.repeat(120)}/y.txt`, Buffer.from('both'));
    put('names/käse \n"quoted".txt', Buffer.from('odd name'));
    putSparse('holes-1.txt', 1_000_000, [0, 500_000]);
    putSparse('holes-2.txt', 900_000, [100_000]);
    putSparse(
      'holes-many.txt',
      4_000_000,
      Array.from({ length: 40 }, (_, index) => index * 98_304),
    );
    putSparse('holes-only.txt', 300_000, []);
    linkSync(join(folder, 'etc/short.txt'), join(folder, 'hard.txt'));
    expected['hard.txt'] = describeContent(Buffer.from('short'));
    symlinkSync(`../${'t'.repeat(150)}.txt`, join(folder, 'etc/soft.txt'));
    chmodSync(join(folder, 'etc/short.txt'), 0o4755);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, isThere, command, args] of writers) {
    it.skipIf(!isThere)(`${name}${isThere ? '' : ` (skipped: no ${command} here)`}`, async () => {
      const archive = execFileSync(command, [...args, '-cf', '-', '-C', folder, '.'], { maxBuffer: 1 << 30 });
      const reading = await read(archive, {
        catalogers: [tellingCataloger({ maxFileBytes: 10_000_000 })],
        reopen: async () => inChunks(archive, [4096]),
      });
      const told = reading.inventory.groups.flatMap(({ claims }) =>
        claims.flatMap((claim) => (claim.kind === 'package' ? [[claim.name, claim.version]] : [])),
      );
      expect(issuesOf(reading)).toEqual([]);
      expect(Object.fromEntries(told)).toEqual(expected);
      expect(reading.leafPaths).toEqual([...Object.keys(expected), 'etc/soft.txt'].sort());
      expect(reading.inventory.files.find((file) => file.path === 'etc/soft.txt')?.target).toBe(
        `${'t'.repeat(150)}.txt`,
      );
    });
  }
});

function describeContent(content: Buffer): string {
  if (content.length <= 40) return content.toString();
  return `${content.length}:${createHash('sha256').update(content).digest('hex')}`;
}
