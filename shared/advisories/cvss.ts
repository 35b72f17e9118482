/** Scores CVSS vectors of versions 2.0, 3.0, 3.1 and 4.0; what is not well formed has no score. */
import calculator from 'ae-cvss-calculator';
import type { Severity } from '../domain/severity.ts';

export interface CvssScore {
  readonly version: '2.0' | '3.0' | '3.1' | '4.0';
  readonly vector: string;
  /** 0 to 10 with one decimal. */
  readonly score: number;
  readonly severity: Severity;
}

/** Longest vector with every metric of CVSS 4.0 has some 190 characters. */
const maxVectorLength = 400;

/** The score of a vector, or undefined where it breaks the grammar of its version (FIRST's specification documents:
 *  2.0 section 2.4, 3.x section 6, 4.0 section 7) or lacks a base metric. Never throws. */
export function scoreVector(vector: string): CvssScore | undefined {
  if (vector.length > maxVectorLength) return undefined;
  const grammar = grammars.find((one) => vector.startsWith(one.prefix)) ?? undefined;
  if (grammar === undefined || !isWellFormed(vector, grammar)) return undefined;
  const score = grammar.score(vector);
  if (!Number.isFinite(score) || score < 0 || score > 10) return undefined;
  return { version: grammar.version, vector, score, severity: severityOfScore(score, grammar.version) };
}

/** The band of a score: FIRST's qualitative scale; version 2.0 has no critical (NVD's bands). */
export function severityOfScore(score: number, version: CvssScore['version']): Severity {
  if (score === 0) return version === '2.0' ? 'low' : 'negligible';
  if (score < 4) return 'low';
  if (score < 7) return 'medium';
  if (score < 9 || version === '2.0') return 'high';
  return 'critical';
}

interface Grammar {
  readonly version: CvssScore['version'];
  readonly prefix: string;
  /** Metric and its values, in the order of the specification. */
  readonly metrics: ReadonlyMap<string, ReadonlySet<string>>;
  /** The first so many metrics must be there. */
  readonly baseCount: number;
  readonly isOrdered: boolean;
  /** Metrics that come all or not at all (version 2.0). */
  readonly groups: readonly (readonly string[])[];
  readonly score: (vector: string) => number;
}

function isWellFormed(vector: string, grammar: Grammar): boolean {
  const names = [...grammar.metrics.keys()];
  const seen = new Set<string>();
  let last = -1;
  for (const part of vector.slice(grammar.prefix === 'AV:' ? 0 : grammar.prefix.length).split('/')) {
    const colon = part.indexOf(':');
    const name = part.slice(0, colon);
    if (colon < 1 || seen.has(name) || grammar.metrics.get(name)?.has(part.slice(colon + 1)) !== true)
      return false;
    const position = names.indexOf(name);
    if (grammar.isOrdered && position < last) return false;
    last = position;
    seen.add(name);
  }
  return (
    names.slice(0, grammar.baseCount).every((name) => seen.has(name)) &&
    grammar.groups.every(
      (group) => group.every((name) => seen.has(name)) || !group.some((name) => seen.has(name)),
    )
  );
}

function metrics(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    text.split(' ').map((entry) => {
      const [name = '', values = ''] = entry.split(':');
      return [name, new Set(values.split(','))];
    }),
  );
}

const version3Metrics = metrics(
  'AV:N,A,L,P AC:L,H PR:N,L,H UI:N,R S:U,C C:N,L,H I:N,L,H A:N,L,H E:X,U,P,F,H RL:X,O,T,W,U RC:X,U,R,C ' +
    'CR:X,L,M,H IR:X,L,M,H AR:X,L,M,H MAV:X,N,A,L,P MAC:X,L,H MPR:X,N,L,H MUI:X,N,R MS:X,U,C MC:X,N,L,H ' +
    'MI:X,N,L,H MA:X,N,L,H',
);

const grammars: readonly Grammar[] = [
  {
    version: '4.0',
    prefix: 'CVSS:4.0/',
    metrics: metrics(
      'AV:N,A,L,P AC:L,H AT:N,P PR:N,L,H UI:N,P,A VC:H,L,N VI:H,L,N VA:H,L,N SC:H,L,N SI:H,L,N SA:H,L,N ' +
        'E:X,A,P,U CR:X,H,M,L IR:X,H,M,L AR:X,H,M,L MAV:X,N,A,L,P MAC:X,L,H MAT:X,N,P MPR:X,N,L,H MUI:X,N,P,A ' +
        'MVC:X,H,L,N MVI:X,H,L,N MVA:X,H,L,N MSC:X,H,L,N MSI:X,S,H,L,N MSA:X,S,H,L,N S:X,N,P AU:X,N,Y R:X,A,U,I ' +
        'V:X,D,C RE:X,L,M,H U:X,Clear,Green,Amber,Red',
    ),
    baseCount: 11,
    isOrdered: true,
    groups: [],
    score: (vector) => new calculator.Cvss4P0(vector).calculateScores().overall,
  },
  {
    version: '3.1',
    prefix: 'CVSS:3.1/',
    metrics: version3Metrics,
    baseCount: 8,
    isOrdered: false,
    groups: [],
    score: (vector) => new calculator.Cvss3P1(vector).calculateScores().overall,
  },
  {
    version: '3.0',
    prefix: 'CVSS:3.0/',
    metrics: version3Metrics,
    baseCount: 8,
    isOrdered: false,
    groups: [],
    score: (vector) => new calculator.Cvss3P0(vector).calculateScores().overall,
  },
  {
    version: '2.0',
    prefix: 'AV:',
    metrics: metrics(
      'AV:L,A,N AC:H,M,L Au:M,S,N C:N,P,C I:N,P,C A:N,P,C E:U,POC,F,H,ND RL:OF,TF,W,U,ND RC:UC,UR,C,ND ' +
        'CDP:N,L,LM,MH,H,ND TD:N,L,M,H,ND CR:L,M,H,ND IR:L,M,H,ND AR:L,M,H,ND',
    ),
    baseCount: 6,
    isOrdered: true,
    groups: [
      ['E', 'RL', 'RC'],
      ['CDP', 'TD', 'CR', 'IR', 'AR'],
    ],
    score: (vector) => new calculator.Cvss2(vector).calculateScores().overall,
  },
];
