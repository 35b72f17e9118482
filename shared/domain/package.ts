/** Packages as catalogers claim them and as a composed image holds them. */
import type { Digest } from './digest.ts';
import type { PackageType } from './ecosystems.ts';

/** Name and version of the source package that a distribution built a binary package from. */
export interface SourcePackage {
  readonly name: string;
  readonly version: string;
}

/** One package as one file (or group of files) of one layer declares it. */
export interface PackageClaim {
  readonly kind: 'package';
  readonly type: PackageType;
  /** Name as the package manager writes it: `libssl3`, `@scope/name`. */
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
  readonly source?: SourcePackage;
  /** SPDX expressions or names as found. */
  readonly licenses?: readonly string[];
  /** `installed` where the files are there, `declared` where a lock file only names them. */
  readonly evidence: 'installed' | 'declared';
  /** Path of the file that declares it, without a leading slash. */
  readonly path: string;
}

/** Files that an OS package brought; paths without a leading slash. */
export interface OwnedFiles {
  readonly kind: 'owned-files';
  readonly owner: string;
  readonly paths: readonly string[];
}

/** The distribution as os-release names it. */
export interface DistroClaim {
  readonly kind: 'distro';
  readonly path: string;
  readonly distro: Distro;
}

/** Where a distribution names itself, the most telling first: an image is what the first of them that it has says. */
export const distroPaths = [
  'etc/os-release',
  'usr/lib/os-release',
  'etc/debian_version',
  'etc/alpine-release',
] as const;

/** A file that a cataloger wanted and could not read in full. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly path: string;
  readonly detail: string;
}

export type Claim = PackageClaim | OwnedFiles | DistroClaim | Unreadable;

/** Fields of os-release(5); ids in lower case. */
export interface Distro {
  readonly id: string;
  readonly versionId?: string;
  readonly codename?: string;
  readonly prettyName?: string;
  readonly idLike?: readonly string[];
  /** `YYYY-MM-DD` from SUPPORT_END, where the image says so. */
  readonly supportEnd?: string;
}

/** A package of a composed image. */
export interface Package {
  readonly purl: string;
  readonly type: PackageType;
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
  readonly source?: SourcePackage;
  readonly licenses?: readonly string[];
  /** The layer from which the package has been there without interruption. */
  readonly layer: Digest;
  /** Every path that declares it, sorted. */
  readonly paths: readonly string[];
  /** purl of the OS package whose files these are. */
  readonly ownedBy: string | null;
}
