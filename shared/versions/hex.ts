/** The order of Hex: Elixir's Version, which is Semantic Versioning 2.0.0 without exceptions. */
import { compareSemanticVersions, parseSemanticVersion } from '../base/semantic-version.ts';
import { maxVersionLength, type VersionOrder } from './contract.ts';

/** Orders what Elixir's Version.parse accepts; build metadata does not count. */
export const hexOrder: VersionOrder = {
  name: 'hex',
  compare(a, b) {
    if (a.length > maxVersionLength || b.length > maxVersionLength) return undefined;
    const left = parseSemanticVersion(a);
    const right = parseSemanticVersion(b);
    return left === undefined || right === undefined ? undefined : compareSemanticVersions(left, right);
  },
};
