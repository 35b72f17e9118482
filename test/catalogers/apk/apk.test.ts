/** The apk cataloger on databases in the form that apk-package(5) gives. */
import { describe, expect, it } from 'vitest';
import { apkCataloger } from '../../../shared/catalogers/apk/apk.ts';
import { itBearsHostileInput } from '../hostile-input.ts';
import { claimsOf } from '../layer-file.ts';

const path = 'lib/apk/db/installed';

const database = `C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:libssl3
V:3.3.1-r3
A:x86_64
S:245376
I:720896
T:SSL shared libraries
U:https://www.openssl.org/
L:Apache-2.0
o:openssl
m:Somebody <somebody@example.com>
t:1721155163
c:af0c4f0b7f0a0a6f
D:so:libc.musl-x86_64.so.1 so:libcrypto.so.3
p:so:libssl.so.3=3
F:lib
R:libssl.so.3
a:0:0:755
Z:Q1abc=
F:usr
F:usr/lib
M:0:0:1777

P:.build-deps
V:20240716.120000
A:noarch
D:gcc make

`;

describe('apk cataloger', () => {
  it.each(['lib/apk/db/installed', 'usr/lib/apk/db/installed'])('wants %s', (wanted) => {
    expect(apkCataloger.wants(wanted)).toBe(wanted);
  });

  it.each(['lib/apk/db/installed/x', 'lib/apk/db/scripts.tar', 'opt/lib/apk/db/installed', 'lib/apk/db'])(
    'does not want %s',
    (other) => {
      expect(apkCataloger.wants(other)).toBeUndefined();
    },
  );

  it('claims each record with its origin as source, and a virtual package without', async () => {
    expect(await claimsOf(apkCataloger, path, database)).toEqual([
      {
        kind: 'package',
        type: 'apk',
        name: 'libssl3',
        version: '3.3.1-r3',
        architecture: 'x86_64',
        source: { name: 'openssl', version: '3.3.1-r3' },
        licenses: ['Apache-2.0'],
        evidence: 'installed',
        path,
      },
      {
        kind: 'package',
        type: 'apk',
        name: '.build-deps',
        version: '20240716.120000',
        architecture: 'noarch',
        evidence: 'installed',
        path,
      },
    ]);
  });

  it('tells letters by their case: p: and a: are not P: and A:', async () => {
    const claims = await claimsOf(apkCataloger, path, 'p:cmd:x=1\nP:real\nv:0\nV:1-r0\na:0:0:755\nA:armhf');
    expect(claims).toMatchObject([{ name: 'real', version: '1-r0', architecture: 'armhf' }]);
  });

  it.each([
    ['no version', 'P:a\n', 'package "a": expected a version in V:, found nothing'],
    ['no name', 'V:1\n', 'expected a package name in P:, found nothing'],
    ['a name with a blank', 'P:a b\nV:1\n', 'expected a package name in P:, found "a b"'],
    ['a line of no form', 'P:a\nV:1\nrubbish\n', 'expected a letter, a colon and a value, found "rubbish"'],
    ['an origin with a slash', 'P:a\nV:1\no:b/c\n', 'package "a": expected an origin in o:, found "b/c"'],
  ])('says that a file with %s is unreadable and goes on', async (_case, text, detail) => {
    const claims = await claimsOf(apkCataloger, path, `${text}\nP:next\nV:2\n`);
    expect(claims.at(-1)).toEqual({ kind: 'unreadable', path, detail });
    expect(claims).toContainEqual(expect.objectContaining({ name: 'next', version: '2' }));
  });

  it('stops after 100,000 packages and says so', async () => {
    const claims = await claimsOf(apkCataloger, path, 'P:a\nV:1\n\n'.repeat(100_010), 65_536);
    expect(claims).toHaveLength(100_001);
    expect(claims.at(-1)).toMatchObject({ kind: 'unreadable' });
  });

  itBearsHostileInput(apkCataloger, path, ['P:a', 'V:1-r0', 'o:b', 'A:x86_64', 'L:MIT', ':', 'F:lib']);
});
