import { describe, expect, it } from 'vitest';
import { distroEcosystem, ruledDistros } from '../../shared/matching/distro-ecosystem.ts';
import { matchedEcosystems } from '../../shared/matching/matched-ecosystems.ts';

describe('the ecosystems that are imported', () => {
  it.each(ruledDistros)('hold the advisories of %s', (id) => {
    const versions = ['12', '22.04', '3.20.1', '23', undefined];
    const found = versions
      .map((versionId) => distroEcosystem({ id, ...(versionId === undefined ? {} : { versionId }) }))
      .flatMap((rule) => (typeof rule === 'string' ? [] : [rule.ecosystem.split(':', 1)[0]]));
    expect(found).not.toEqual([]);
    for (const name of found) expect(matchedEcosystems).toContain(name);
  });

  it('hold those of npm and nothing twice', () => {
    expect(matchedEcosystems).toContain('npm');
    expect(new Set(matchedEcosystems).size).toBe(matchedEcosystems.length);
  });
});
