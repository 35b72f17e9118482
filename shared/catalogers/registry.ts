/** Every cataloger there is: what reads layers asks each of them about each path. */
import { apkCataloger } from './apk/apk.ts';
import type { Cataloger } from './contract.ts';
import { dpkgCataloger } from './dpkg/dpkg.ts';
import { npmCataloger } from './npm/npm.ts';
import { osReleaseCataloger } from './os-release/os-release.ts';

export const catalogers: readonly Cataloger[] = [
  apkCataloger,
  dpkgCataloger,
  npmCataloger,
  osReleaseCataloger,
];
