/** Go's version order: golang.org/x/mod/semver, and the toolchain's own versions. */
import {
  compareSemanticVersions,
  parseSemanticVersion,
  type SemanticVersion,
} from '../base/semantic-version.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders what that module does, with or without its `v`: pseudo-versions are pre-releases like others, `+incompatible`
 *  and `+dirty` do not count, `v1` and `v1.2` are `v1.0.0` and `v1.2.0`. Also what toolchains are called, as the Go
 *  vulnerability database translates it: `go1.22.3` is 1.22.3, `go1.21rc2` is 1.21.0-rc.2, and up to 1.20, where the
 *  first release had no third number, `go1.20` is 1.20.0. Not `(devel)`, and not `go1.21`, which names a language.
 *  Two texts that are the same are equal if they start as a number, as in the order of semver. */
export const goOrder: VersionOrder = {
  name: 'go',
  compare(a, b) {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined || right === undefined) {
      return a === b && a.length <= maxVersionLength && numericStart.test(a) ? 0 : undefined;
    }
    return compareSemanticVersions(left, right);
  },
};

const numericStart = /^v?[0-9][0-9A-Za-z.+-]*$/;
const shortPattern = /^[0-9]+(?:\.[0-9]+)?$/;
const toolchainPattern = /^go([0-9]+)\.([0-9]+)(?:\.([0-9]+)|(beta|rc)([0-9]+))?$/;
/** The first minor version of Go 1 whose first release is `go1.N.0`. */
const firstMinorWithPatch = 21;

function parse(text: string): SemanticVersion | undefined {
  if (text.length > maxVersionLength) return undefined;
  if (text.startsWith('go')) return parseToolchain(text);
  const bare = text.startsWith('v') ? text.slice(1) : text;
  if (!shortPattern.test(bare)) return parseSemanticVersion(bare);
  return parseSemanticVersion(bare.includes('.') ? `${bare}.0` : `${bare}.0.0`);
}

function parseToolchain(text: string): SemanticVersion | undefined {
  const found = toolchainPattern.exec(text);
  if (found === null) return undefined;
  const [, major, minor, patch, phase, phaseNumber] = found;
  if (phase !== undefined) return parseSemanticVersion(`${major}.${minor}.0-${phase}.${phaseNumber}`);
  if (patch === undefined && (major !== '1' || Number(minor) >= firstMinorWithPatch)) return undefined;
  return parseSemanticVersion(`${major}.${minor}.${patch ?? '0'}`);
}
