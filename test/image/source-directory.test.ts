/** A folder as an image of one layer. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { sampleBytes } from '../support/registry-push.ts';
import { makeSourceFolder, type SourceFolder } from '../support/source-folder.ts';

let folder: SourceFolder;

beforeEach(async () => {
  folder = await makeSourceFolder();
});

afterEach(() => folder.remove());

describe('dir', () => {
  test('the folder becomes a tar archive that tar itself reads', async () => {
    await folder.write('root/etc/os-release', 'ID=test\n');
    await folder.write(`root/${'d'.repeat(80)}/${'e'.repeat(80)}/file`, sampleBytes(700));
    await folder.write('root/usr/empty', '');
    await folder.write('root/proc/kcore', 'must not be read');
    await symlink('../../../../etc/passwd', join(folder.path, 'root/link'));
    await symlink('x'.repeat(150), join(folder.path, 'root/long-link'));
    execFileSync('mkfifo', [join(folder.path, 'root/pipe')]);
    const source = await folder.open(`dir:${folder.path}/root`);
    const [image] = await source.images();
    const record = await source.record(source.digest);
    const [layer] = record.layers;
    if (layer === undefined) throw new Error('expected a layer');
    expect(image?.digest).toBe(source.digest);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await source.openLayer(layer)) chunks.push(chunk);
    const archive = Buffer.concat(chunks);
    expect(digestOf(archive)).toBe(layer.digest);
    expect(archive.byteLength).toBe(layer.sizeBytes);
    await mkdir(join(folder.path, 'out'));
    execFileSync('tar', ['-C', join(folder.path, 'out'), '-xf', '-'], { input: archive });
    await rm(join(folder.path, 'root/proc/kcore'));
    expect(() =>
      execFileSync('diff', [
        '-r',
        '--no-dereference',
        join(folder.path, 'root/etc'),
        join(folder.path, 'out/etc'),
      ]),
    ).not.toThrow();
    const listing = execFileSync('tar', ['-tf', '-'], { input: archive, encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(listing).toEqual([
      `${'d'.repeat(80)}/`,
      `${'d'.repeat(80)}/${'e'.repeat(80)}/`,
      `${'d'.repeat(80)}/${'e'.repeat(80)}/file`,
      'etc/',
      'etc/os-release',
      'link',
      'long-link',
      'pipe',
      'proc/',
      'usr/',
      'usr/empty',
    ]);
  });

  test('the same files give the same digest, other content another one', async () => {
    await folder.write('root/a', 'a');
    const first = (await folder.open(`dir:${folder.path}/root`)).digest;
    await folder.write('root/a', 'a');
    expect((await folder.open(`dir:${folder.path}/root`)).digest).toBe(first);
    await folder.write('root/a', 'b');
    expect((await folder.open(`dir:${folder.path}/root`)).digest).not.toBe(first);
  });

  test('what may not be read is an issue', async () => {
    await folder.write('root/secret', 'x');
    await chmod(join(folder.path, 'root/secret'), 0);
    await chmod(folder.path, 0o755);
    const source = await asNobody(() => folder.open(`dir:${folder.path}/root`));
    expect(source.issues).toMatchObject([{ code: 'UNREADABLE_FILE', path: 'secret' }]);
  });

  test('a name that is no UTF-8 is an issue and not left out in silence', async () => {
    await folder.write('root/fine', 'x');
    await writeFile(Buffer.concat([Buffer.from(join(folder.path, 'root/bad-')), Buffer.from([0xff])]), 'x');
    expect((await folder.open(`dir:${folder.path}/root`)).issues).toMatchObject([
      { code: 'UNREADABLE_FILE' },
    ]);
  });
});

/** Does the work without root's right to read every file, where the tests run as root. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
