/** The ecosystems whose advisories any image can be matched against: importing others would only cost. */
import { ecosystems } from '../domain/ecosystems.ts';
import { distroEcosystems } from './distro-ecosystem.ts';

/** OSV names without suffix, sorted: those of the distributions whose packages are read and of language packages. */
export const matchedEcosystems: readonly string[] = [
  ...new Set([...distroEcosystems, ...ecosystems.flatMap(({ osvEcosystem }) => osvEcosystem ?? [])]),
].sort();
