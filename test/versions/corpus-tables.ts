/** The corpus' tables of versions, with the lines that the ecosystem's own tool answers otherwise. */
import { corpusPath } from '../support/corpus.ts';
import { type Comparison, readComparisons, type Sign } from './tables.ts';

/** The lines of `versions/<name>-versions.txt`. A line that has another answer here comes back with that; throws
 *  RangeError where such a line is no longer in the table. */
export function readCorpusTable(name: string): readonly Comparison[] {
  const answers = new Map(upstreamAnswers.get(name));
  const lines = readComparisons(`${corpusPath}/versions/${name}-versions.txt`, ' ').map(({ a, sign, b }) => {
    const line = `${a} ${sign} ${b}`;
    const answer = answers.get(line);
    answers.delete(line);
    return { a, sign: answer ?? sign, b };
  });
  if (answers.size > 0) throw new RangeError(`the corpus has no line "${[...answers.keys()].join('", "')}"`);
  return lines;
}

const huge = '999999999999999999999999999991 < 999999999999999999999999999999';
const hugeParts =
  '999999999999999999999999999991.999999999999999999999999999991.999999999999999999999999999991 < ' +
  '999999999999999999999999999999.999999999999999999999999999991.999999999999999999999999999991';

/** Each answer but NuGet's is that of `python3 fixtures/make-order-answers.py ORDER - <pairs`, which names the tools. */
const upstreamAnswers: ReadonlyMap<string, readonly (readonly [string, Sign])[]> = new Map([
  // packaging 26.3: InvalidVersion.
  [
    'pypi',
    [
      '0.1-bulbasaur < 0.1-charmander',
      '0.1-charmander < 0.9-doduo',
      '0.9-doduo < 0.9-eevee',
      '0.9-eevee < 0.9-fearow',
      '0.9-fearow < 0.9-gyarados',
      '0.9-gyarados < 0.9-horsea',
      '0.9-horsea < 0.9-ivysaur',
      '0.9-ivysaur < 1.0',
      '-class.-jw.util.version.version-pre < 1.0',
      '-class.-jw.util.version.version-preview < 1.0',
      '-class.-jw.util.version.version-dev < 1.0',
    ].map((line) => [line, '?'] as const),
  ],
  // maven-artifact 3.9.9: ComparableVersion says 1-1 > 1-ga-1.
  ['maven', [['1-1 = 1-ga-1', '>'] as const]],
  // Gem::Version 3.3.15: malformed version number string.
  ['rubygems', ['1 > 1beta', '1 > 1gamma'].map((line) => [line, '?'] as const)],
  // NuGet.Versioning 8.0, nuget-parse.tsv of the corpus: what is past 2147483647 is no version.
  ['nuget', [huge, hugeParts].map((line) => [line, '?'] as const)],
  // composer/semver 3.3.2: VersionParser pads 1.0 to 1.0.0.0 and throws on the others.
  [
    'packagist',
    [
      ['1.0.0 > 1.0', '='] as const,
      ...[
        '4.3-2RC1 < 4.3-2RC2',
        '4.3-2RC2 > 4.3-2beta5',
        '4.3-2 > 4.3-2beta1',
        '1.2.3.# = 1.2.3',
        '1.2.3.# = 1.2.3.#',
        '1.2.3.# = 1.2.3.1',
        '1.2.3.#.1 > 1.2.3',
        '1.2.3.#.p3 > 1.2.3',
        '1.2.3.#.beta < 1.2.3',
        huge,
        hugeParts,
      ].map((line) => [line, '?'] as const),
    ],
  ],
]);
