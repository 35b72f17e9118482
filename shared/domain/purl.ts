/** Package URLs (package-url/purl-spec): one canonical text per package. */
import { ecosystemOf, type PackageType } from './ecosystems.ts';
import type { Distro } from './package.ts';

export interface PurlParts {
  readonly type: PackageType;
  /** Name as the package manager writes it: `libssl3`, `@scope/name`. */
  readonly name: string;
  readonly version: string;
  readonly architecture?: string | undefined;
  /** Counts for packages of the operating system alone. */
  readonly distro?: Distro | undefined;
}

/** `pkg:deb/debian/openssl@3.0.15-1~deb12u1?arch=amd64&distro=debian-12`, `pkg:npm/%40scope/name@1.2.3`.
 *  Names of deb and apk are lower-cased, as their purl types ask; an unknown distro leaves namespace and qualifier out.
 *  Any text is accepted: what a purl reserves is percent-encoded. */
export function purlOf(parts: PurlParts): string {
  const { purlType, isDistroFormat } = ecosystemOf(parts.type);
  const distro = isDistroFormat ? parts.distro : undefined;
  const path = isDistroFormat
    ? [...(distro === undefined ? [] : [distro.id.toLowerCase()]), parts.name.toLowerCase()]
    : splitScope(parts.name);
  const qualifiers = [
    isDistroFormat && parts.architecture !== undefined ? `arch=${encodePart(parts.architecture)}` : '',
    distro?.versionId === undefined ? '' : `distro=${encodePart(`${distro.id}-${distro.versionId}`)}`,
  ].filter((qualifier) => qualifier !== '');
  const version = parts.version === '' ? '' : `@${encodePart(parts.version)}`;
  return `pkg:${purlType}/${path.map(encodePart).join('/')}${version}${qualifiers.length === 0 ? '' : `?${qualifiers.join('&')}`}`;
}

/** Namespace and name: `@scope/name` is two segments, anything else one. */
function splitScope(name: string): readonly string[] {
  const slash = name.startsWith('@') ? name.indexOf('/') : -1;
  return slash < 0 ? [name] : [name.slice(0, slash), name.slice(slash + 1)];
}

/** Percent-encodes all but letters, digits, `.`, `-`, `_`, `~` and `:` (purl-spec, "Character encoding"). A lone
 *  surrogate, which no UTF-8 can hold, becomes U+FFFD. */
function encodePart(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':');
}
