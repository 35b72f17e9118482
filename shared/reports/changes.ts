/** What differs between two reports: what subscribers are told. */
import { compareText } from '../base/text-order.ts';
import { type Change, type ChangeKind, changeKinds } from '../domain/change.ts';
import type { CoverageIssue } from '../domain/coverage.ts';
import type { Report, ReportFinding } from '../domain/report.ts';
import { type Severity, severityRank } from '../domain/severity.ts';

/** Longest title of a change in characters: names in it come from images. */
const maxTitleLength = 300;

/**
 * A name of the vulnerability in the package that outlives other versions, other layers and a change of the advisory
 * that speaks: the smallest CVE, else the id, and the purl without version, qualifiers and subpath.
 */
export function findingKey(finding: Pick<ReportFinding, 'id' | 'aliases' | 'purl'>): string {
  const cve = namesOf(finding)
    .filter((name) => name.startsWith('CVE-'))
    .sort(compareText)[0];
  return `${cve ?? finding.id} ${packageOf(finding.purl)}`;
}

/**
 * The changes from the old report to the new one, sorted by kind and subject, each subject once a kind. Without an old
 * report every finding and coverage issue is new and the decision is told. Findings are the same vulnerability where
 * they are about the same package and share a name: an advisory that gains an alias or a package that stands there in
 * another version is no change.
 */
export function diffReports(before: Report | undefined, after: Report): readonly Change[] {
  const changes = [
    ...findingChanges(before?.findings ?? [], after.findings),
    ...coverageChanges(before?.coverage.issues ?? [], after.coverage.issues),
    ...decisionChange(before?.verdict.decision, after.verdict.decision),
  ];
  const bySubject = new Map(changes.map((change) => [`${change.kind} ${change.subject}`, change]));
  return [...bySubject.values()].sort(
    (a, b) => kindRank(a.kind) - kindRank(b.kind) || compareText(a.subject, b.subject),
  );
}

/** The same vulnerability in the same package, as either report has it: in several versions, or not at all. */
interface FindingPair {
  readonly before: ReportFinding[];
  readonly after: ReportFinding[];
}

function findingChanges(before: readonly ReportFinding[], after: readonly ReportFinding[]): Change[] {
  return pairFindings(before, after).flatMap((pair) => {
    const [was] = pair.before.toSorted(worstFirst);
    const [is] = pair.after.toSorted(worstFirst);
    if (is === undefined) return was === undefined ? [] : [aboutFinding('finding.gone', was)];
    if (was === undefined) return [aboutFinding('finding.new', is)];
    const changes: Change[] = [];
    if (was.severity !== is.severity) {
      changes.push({
        ...aboutFinding('finding.severity', is),
        before: was.severity,
        after: is.severity,
      });
    }
    const fixed = pair.after.find((finding) => finding.fixedVersion !== null);
    if (fixed !== undefined && pair.before.every((finding) => finding.fixedVersion === null)) {
      changes.push(aboutFinding('finding.fix-available', fixed));
    }
    return changes;
  });
}

/** Joins findings of one package that share a name, across both reports (union-find over the names). */
function pairFindings(
  before: readonly ReportFinding[],
  after: readonly ReportFinding[],
): readonly FindingPair[] {
  const parents = new Map<string, string>();
  const rootOf = (name: string): string => {
    let root = name;
    for (
      let parent = parents.get(root);
      parent !== undefined && parent !== root;
      parent = parents.get(root)
    ) {
      root = parent;
    }
    // Shortens the way for the next one: a chain of thousands of aliases stays cheap.
    for (let at = name; at !== root; ) {
      const next = parents.get(at) ?? root;
      parents.set(at, root);
      at = next;
    }
    return root;
  };
  const firstName = (finding: ReportFinding) => `${packageOf(finding.purl)} ${finding.id}`;
  for (const finding of [...before, ...after]) {
    for (const name of namesOf(finding)) {
      parents.set(rootOf(`${packageOf(finding.purl)} ${name}`), rootOf(firstName(finding)));
    }
  }
  const pairs = new Map<string, FindingPair>();
  const pairOf = (finding: ReportFinding): FindingPair => {
    const root = rootOf(firstName(finding));
    const known = pairs.get(root) ?? { before: [], after: [] };
    pairs.set(root, known);
    return known;
  };
  for (const finding of before) pairOf(finding).before.push(finding);
  for (const finding of after) pairOf(finding).after.push(finding);
  return [...pairs.values()];
}

function aboutFinding(kind: ChangeKind, finding: ReportFinding): Change {
  const severity: Severity = finding.severity;
  return {
    kind,
    subject: findingKey(finding),
    severity,
    title: titleOf(`${finding.id} (${severity}) in ${finding.purl}`),
    advisory: finding.id,
    purl: finding.purl,
    ...(finding.fixedVersion === null ? {} : { fixedVersion: finding.fixedVersion }),
  };
}

function coverageChanges(before: readonly CoverageIssue[], after: readonly CoverageIssue[]): Change[] {
  const old = new Map(before.map((issue) => [coverageKey(issue), issue]));
  const now = new Map(after.map((issue) => [coverageKey(issue), issue]));
  const fresh = [...now].filter(([key]) => !old.has(key));
  const gone = [...old].filter(([key]) => !now.has(key));
  return [
    ...fresh.map(([key, issue]) => aboutIssue('coverage.new', key, issue)),
    ...gone.map(([key, issue]) => aboutIssue('coverage.gone', key, issue)),
  ];
}

/** Where the issue stands; the layer only where nothing else says it, because a rebuilt image has other layers. */
function coverageKey(issue: CoverageIssue): string {
  const where = issue.path ?? (issue.purl === undefined ? issue.layer : packageOf(issue.purl));
  return where === undefined ? issue.code : `${issue.code} ${where}`;
}

function aboutIssue(kind: ChangeKind, subject: string, issue: CoverageIssue): Change {
  return {
    kind,
    subject,
    title: titleOf(`${subject}: ${issue.detail}`),
    ...(issue.purl === undefined ? {} : { purl: issue.purl }),
  };
}

function decisionChange(before: string | undefined, after: string): Change[] {
  if (before === after) return [];
  const title = before === undefined ? `verdict: ${after}` : `verdict: ${after}, was ${before}`;
  return [
    { kind: 'decision', subject: 'decision', title, ...(before === undefined ? {} : { before }), after },
  ];
}

function namesOf(finding: Pick<ReportFinding, 'id' | 'aliases'>): readonly string[] {
  return [finding.id, ...finding.aliases];
}

/** The purl up to its version: `pkg:npm/%40scope/name` (in a purl an @ of the name is written %40). */
function packageOf(purl: string): string {
  return purl.split(/[@?#]/, 1)[0] ?? purl;
}

function worstFirst(a: ReportFinding, b: ReportFinding): number {
  return (
    severityRank(b.severity) - severityRank(a.severity) ||
    compareText(a.purl, b.purl) ||
    compareText(a.id, b.id)
  );
}

function kindRank(kind: ChangeKind): number {
  return changeKinds.indexOf(kind);
}

function titleOf(text: string): string {
  return text.length <= maxTitleLength ? text : `${text.slice(0, maxTitleLength - 1)}…`;
}
