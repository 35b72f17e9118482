/** The os-release cataloger on files as distributions ship them. */
import { describe, expect, it } from 'vitest';
import { osReleaseCataloger } from '../../../shared/catalogers/os-release/os-release.ts';
import type { Distro } from '../../../shared/domain/package.ts';
import { itBearsHostileInput } from '../hostile-input.ts';
import { claimsOf } from '../layer-file.ts';

const path = 'etc/os-release';

async function distroOf(content: string, where = path): Promise<Distro | undefined> {
  const [claim] = await claimsOf(osReleaseCataloger, where, content);
  return claim?.kind === 'distro' ? claim.distro : undefined;
}

/** `printf 'x=%s' …; . file; printf %s "$X"` gave the values: sh and this must read a value alike. */
const shellValues: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['"a b"', 'a b'],
  ["'a b'", 'a b'],
  ['"a \\"b\\" \\$c \\` \\\\ \\d"', 'a "b" $c ` \\ \\d'],
  ["'a\\b'", 'a\\b'],
  ['a\\ b', 'a b'],
  ['"a"\'b\'c', 'abc'],
  ['""', ''],
];

describe('os-release cataloger', () => {
  it.each(['etc/os-release', 'usr/lib/os-release', 'etc/debian_version', 'etc/alpine-release'])(
    'wants %s',
    (wanted) => {
      expect(osReleaseCataloger.wants(wanted)).toBe(wanted);
    },
  );

  it.each(['os-release', 'opt/etc/os-release', 'etc/os-release/x', '__proto__', 'etc/lsb-release'])(
    'does not want %s',
    (other) => {
      expect(osReleaseCataloger.wants(other)).toBeUndefined();
    },
  );

  it('reads Debian', async () => {
    const text = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
`;
    expect(await distroOf(text)).toEqual({
      id: 'debian',
      versionId: '12',
      codename: 'bookworm',
      prettyName: 'Debian GNU/Linux 12 (bookworm)',
    });
  });

  it('reads a derivative with its relatives and its end of support', async () => {
    const text =
      'ID="AlmaLinux"\r\nID_LIKE="rhel centos fedora"\r\nVERSION_ID="9.4"\r\nSUPPORT_END=2032-06-01\r\n';
    expect(await distroOf(text)).toEqual({
      id: 'almalinux',
      versionId: '9.4',
      idLike: ['rhel', 'centos', 'fedora'],
      supportEnd: '2032-06-01',
    });
  });

  it('leaves the version out where there is none, as on testing', async () => {
    expect(await distroOf('ID=debian\nVERSION_CODENAME=trixie\n')).toEqual({
      id: 'debian',
      codename: 'trixie',
    });
  });

  it.each(shellValues)('reads the value %s as a shell does', async (written, value) => {
    const distro = await distroOf(`ID=x\nPRETTY_NAME=${written}\n`);
    expect(distro?.prettyName ?? '').toBe(value);
  });

  it('takes the last of several assignments and no comment', async () => {
    expect(await distroOf('ID=a\n#ID=b\n ID=c\nid=d\nID =e\nexport ID=f\n')).toEqual({ id: 'c' });
  });

  it('keeps no control characters of a hostile name', async () => {
    expect(await distroOf('ID=x\nPRETTY_NAME="\u001b[31mred\u0007"\n')).toEqual({
      id: 'x',
      prettyName: '[31mred',
    });
  });

  it.each([
    ['12.5\n', { id: 'debian', versionId: '12' }],
    ['9.13', { id: 'debian', versionId: '9' }],
    ['trixie/sid\n', { id: 'debian', codename: 'trixie' }],
    ['kali-rolling\n', undefined],
  ])('reads etc/debian_version %j', async (text, distro) => {
    expect(await distroOf(text, 'etc/debian_version')).toEqual(distro);
  });

  it.each([
    ['3.10.2\n', { id: 'alpine', versionId: '3.10.2' }],
    ['3.21_alpha20240923\n', { id: 'alpine', versionId: '3.21_alpha20240923' }],
    ['edge', undefined],
  ])('reads etc/alpine-release %j', async (text, distro) => {
    expect(await distroOf(text, 'etc/alpine-release')).toEqual(distro);
  });

  it.each(['rubbish', 'NAME=x\n', 'ID=\n', 'ID=../x\n', `ID=${'a'.repeat(65)}\n`])(
    'says that %j is unreadable',
    async (text) => {
      expect(await claimsOf(osReleaseCataloger, path, text)).toEqual([
        {
          kind: 'unreadable',
          path,
          detail: expect.stringContaining('expected ID= and the name of a distribution'),
        },
      ]);
    },
  );

  it.each([
    [path, ''],
    [path, ' \n'],
    ['etc/debian_version', 'kali-rolling\n'],
    ['etc/alpine-release', 'edge\n'],
  ])('claims nothing of %s with %j', async (where, text) => {
    expect(await claimsOf(osReleaseCataloger, where, text)).toEqual([]);
  });

  itBearsHostileInput(osReleaseCataloger, path, ['ID=', 'debian', 'VERSION_ID=', '"', "'", '\\', '12']);
});
