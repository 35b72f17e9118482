/** Package URLs by the rules of package-url/purl-spec. */
import { describe, expect, it } from 'vitest';
import type { Distro } from '../../shared/domain/package.ts';
import { type PurlParts, purlOf } from '../../shared/domain/purl.ts';

const debian: Distro = { id: 'debian', versionId: '12', codename: 'bookworm' };
const alpine: Distro = { id: 'alpine', versionId: '3.20.3' };

// purl-spec: "Rules for each purl component", "Character encoding"; PURL-TYPES: deb, apk, npm.
// The first is an example of its deb type.
const cases: readonly (readonly [string, PurlParts])[] = [
  [
    'pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64',
    { type: 'deb', name: 'attr', version: '1:2.4.47-2+b1', architecture: 'amd64', distro: { id: 'debian' } },
  ],
  [
    'pkg:deb/debian/openssl@3.0.15-1~deb12u1?arch=amd64&distro=debian-12',
    { type: 'deb', name: 'openssl', version: '3.0.15-1~deb12u1', architecture: 'amd64', distro: debian },
  ],
  [
    'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12',
    { type: 'deb', name: 'libstdc++6', version: '12.2.0-14+deb12u1', architecture: 'amd64', distro: debian },
  ],
  [
    'pkg:deb/debian/login@1:4.13%2Bdfsg1-1?arch=amd64&distro=debian-12',
    { type: 'deb', name: 'login', version: '1:4.13+dfsg1-1', architecture: 'amd64', distro: debian },
  ],
  [
    'pkg:apk/alpine/libssl3@3.3.1-r3?arch=x86_64&distro=alpine-3.20.3',
    { type: 'apk', name: 'libssl3', version: '3.3.1-r3', architecture: 'x86_64', distro: alpine },
  ],
  [
    'pkg:apk/wolfi/busybox@1.36.1-r1',
    { type: 'apk', name: 'busybox', version: '1.36.1-r1', distro: { id: 'wolfi' } },
  ],
  ['pkg:deb/bash@5.2-1?arch=amd64', { type: 'deb', name: 'bash', version: '5.2-1', architecture: 'amd64' }],
  ['pkg:deb/debian/mixed@1?distro=debian-12', { type: 'deb', name: 'Mixed', version: '1', distro: debian }],
  ['pkg:npm/lodash@4.17.21', { type: 'npm', name: 'lodash', version: '4.17.21', distro: debian }],
  ['pkg:npm/%40babel/core@7.24.0', { type: 'npm', name: '@babel/core', version: '7.24.0' }],
  ['pkg:npm/JSONStream@1.3.5', { type: 'npm', name: 'JSONStream', version: '1.3.5' }],
  ['pkg:npm/a@1.0.0-rc.1%2Bbuild', { type: 'npm', name: 'a', version: '1.0.0-rc.1+build' }],
  ['pkg:npm/a%20%3F%23%40%25@%281%29', { type: 'npm', name: 'a ?#@%', version: '(1)' }],
  ['pkg:npm/%C3%A9@1', { type: 'npm', name: 'é', version: '1' }],
  ['pkg:npm/%EF%BF%BD@1', { type: 'npm', name: '\ud800', version: '1' }],
];

describe('purlOf', () => {
  it.each(cases)('%s', (purl, parts) => {
    expect(purlOf(parts)).toBe(purl);
  });

  it('gives back its parts to a reader of URLs', () => {
    const purl = new URL(
      purlOf({ type: 'deb', name: 'g++', version: '4:12.2.0-3', architecture: 'amd64', distro: debian }),
    );
    const [path = '', version = ''] = purl.pathname.split('@');
    expect(path.split('/').map(decodeURIComponent)).toEqual(['deb', 'debian', 'g++']);
    expect(decodeURIComponent(version)).toBe('4:12.2.0-3');
    expect(Object.fromEntries(purl.searchParams)).toEqual({ arch: 'amd64', distro: 'debian-12' });
  });
});
