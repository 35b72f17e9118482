/** Which of several severities counts: the publisher's own word before a score, the advisory before the CVE. */
import type { Severity, SeverityRating } from '../domain/severity.ts';
import { severityRank } from '../domain/severity.ts';
import type { CvssScore } from './cvss.ts';
import { scoreVector } from './cvss.ts';

/** The severity that a publisher's word stands for; undefined for a word that rates nothing (`not yet assigned`,
 *  `none`) or that nobody knows. */
export function severityOfWord(word: string): Severity | undefined {
  return severityWords.get(word.trim().toLowerCase());
}

/** The newest well-formed CVSS of the vectors (4.0 before 3.1 before 3.0 before 2.0); of equal versions the highest. */
export function newestCvss(vectors: Iterable<string>): CvssScore | undefined {
  let best: CvssScore | undefined;
  for (const vector of vectors) {
    const scored = scoreVector(vector);
    if (scored === undefined) continue;
    if (
      best === undefined ||
      scored.version > best.version ||
      (scored.version === best.version && scored.score > best.score)
    ) {
      best = scored;
    }
  }
  return best;
}

/** What an advisory says of a severity: words of the distribution for this package, words of the advisory, vectors.
 *  The vector is kept also where a word decides. Undefined where it says nothing. */
export function rateAdvisory(said: {
  readonly distroWord?: string | undefined;
  readonly advisoryWord?: string | undefined;
  readonly vectors: readonly string[];
}): SeverityRating | undefined {
  const scored = newestCvss(said.vectors);
  const cvss = scored === undefined ? {} : { cvss: { vector: scored.vector, score: scored.score } };
  const distro = said.distroWord === undefined ? undefined : severityOfWord(said.distroWord);
  if (distro !== undefined) return { severity: distro, source: 'distro', ...cvss };
  const advisory = said.advisoryWord === undefined ? undefined : severityOfWord(said.advisoryWord);
  if (advisory !== undefined) return { severity: advisory, source: 'advisory', ...cvss };
  return scored === undefined ? undefined : { severity: scored.severity, source: 'advisory-cvss', ...cvss };
}

/** Sources from the one that counts most. */
const sourceOrder = ['malicious', 'distro', 'advisory', 'advisory-cvss', 'cve'];

/** The rating that counts: by source, then the worse one. */
export function precedingRating(ratings: Iterable<SeverityRating | undefined>): SeverityRating | undefined {
  let best: SeverityRating | undefined;
  for (const rating of ratings) {
    if (rating === undefined || rating.severity === 'unknown') continue;
    if (best === undefined || precedes(rating, best)) best = rating;
  }
  return best;
}

function precedes(a: SeverityRating, b: SeverityRating): boolean {
  const order = rankOfSource(a.source) - rankOfSource(b.source);
  if (order !== 0) return order < 0;
  const rank = severityRank(a.severity) - severityRank(b.severity);
  if (rank !== 0) return rank > 0;
  return (a.cvss?.score ?? -1) > (b.cvss?.score ?? -1);
}

function rankOfSource(source: string): number {
  const index = sourceOrder.indexOf(source);
  return index < 0 ? sourceOrder.length : index;
}

/** GitHub, Red Hat (and what follows it: AlmaLinux, Rocky), Debian, Ubuntu. */
const severityWords = new Map<string, Severity>([
  ['critical', 'critical'],
  ['high', 'high'],
  ['important', 'high'],
  ['medium', 'medium'],
  ['moderate', 'medium'],
  ['low', 'low'],
  ['negligible', 'negligible'],
  ['unimportant', 'negligible'],
]);
