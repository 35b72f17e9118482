/** Decides by a policy about the findings and coverage issues of an image, and says why. */
import { globMatches } from '../base/glob.ts';
import { compareText } from '../base/text-order.ts';
import type { CoverageIssue } from '../domain/coverage.ts';
import type { Finding } from '../domain/finding.ts';
import type { Policy, PolicyRule } from '../domain/policy.ts';
import { severities, severityRank } from '../domain/severity.ts';
import type { JudgedDecision, Reason } from '../domain/verdict.ts';

/** The rule that a reason names where no rule of the policy fitted. */
export const unmatchedRule = 'no-rule';

/** How many findings or coverage issues a reason names before it counts the rest. */
const namedPerReason = 5;

/** Longest name in a reason, in characters: names come from images. */
const maxNameLength = 120;

export interface Evaluation {
  readonly decision: JudgedDecision;
  /** One per rule that led to `fail` or `warn`: failures first, then in the policy's order. */
  readonly reasons: readonly Reason[];
}

/**
 * The first rule that fits a finding or an issue decides about it; what no rule fits is a warning. The decision is
 * `fail` where one thing failed, else `warn` where one warned, else `pass`. The order of findings and issues makes no
 * difference.
 */
export function evaluatePolicy(
  policy: Policy,
  findings: readonly Finding[],
  issues: readonly CoverageIssue[],
): Evaluation {
  const groups = new Map<PolicyRule | undefined, Group>();
  for (const finding of findings) {
    groupOf(groups, findingRuleFor(policy, finding)).findings.push(finding);
  }
  for (const issue of issues) {
    groupOf(groups, coverageRuleFor(policy, issue)).issues.push(issue);
  }
  const inOrder = [...policy.rules, undefined].flatMap((rule) => {
    const group = groups.get(rule);
    return group === undefined ? [] : [{ rule, group, outcome: rule?.outcome ?? 'warn' }];
  });
  const failing = inOrder.filter((entry) => entry.outcome === 'fail');
  const warning = inOrder.filter((entry) => entry.outcome === 'warn');
  return {
    decision: failing.length > 0 ? 'fail' : warning.length > 0 ? 'warn' : 'pass',
    reasons: [...failing, ...warning].map(({ rule, group }) => ({
      rule: rule?.id ?? unmatchedRule,
      message: describe(group),
    })),
  };
}

interface Group {
  readonly findings: Finding[];
  readonly issues: CoverageIssue[];
}

function groupOf(groups: Map<PolicyRule | undefined, Group>, rule: PolicyRule | undefined): Group {
  const known = groups.get(rule);
  if (known !== undefined) return known;
  const fresh: Group = { findings: [], issues: [] };
  groups.set(rule, fresh);
  return fresh;
}

function findingRuleFor(policy: Policy, finding: Finding): PolicyRule | undefined {
  return policy.rules.find(
    (rule) =>
      rule.on === 'finding' &&
      (rule.severities === undefined || rule.severities.includes(finding.severity)) &&
      (rule.fixable === undefined || rule.fixable === (finding.fixedVersion !== undefined)) &&
      (rule.malicious === undefined || rule.malicious === finding.malicious) &&
      (rule.ids === undefined || rule.ids.some((id) => id === finding.id || finding.aliases.includes(id))) &&
      (rule.packages === undefined || rule.packages.some((glob) => globMatches(glob, finding.purl))),
  );
}

function coverageRuleFor(policy: Policy, issue: CoverageIssue): PolicyRule | undefined {
  return policy.rules.find(
    (rule) => rule.on === 'coverage' && (rule.codes === undefined || rule.codes.includes(issue.code)),
  );
}

/** `3 findings (1 critical, 2 high): CVE-… in openssl 1.1.1-r0, …` and the same for coverage issues. */
function describe(group: Group): string {
  const parts: string[] = [];
  if (group.findings.length > 0) parts.push(describeFindings(group.findings));
  if (group.issues.length > 0) parts.push(describeIssues(group.issues));
  return parts.join('; ');
}

function describeFindings(findings: readonly Finding[]): string {
  const perSeverity = severities.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  });
  const names = [...findings].sort(compareFindings).map(nameFinding);
  const noun = findings.length === 1 ? 'finding' : 'findings';
  return `${findings.length} ${noun} (${perSeverity.join(', ')}): ${first(names)}`;
}

function describeIssues(issues: readonly CoverageIssue[]): string {
  const perCode = new Map<string, number>();
  for (const issue of issues) perCode.set(issue.code, (perCode.get(issue.code) ?? 0) + 1);
  const codes = [...perCode].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, count]) => `${count} ${code}`);
  const names = issues.map(nameIssue).sort();
  const noun = issues.length === 1 ? 'coverage issue' : 'coverage issues';
  return `${issues.length} ${noun} (${codes.join(', ')}): ${first(names)}`;
}

function compareFindings(a: Finding, b: Finding): number {
  return (
    severityRank(b.severity) - severityRank(a.severity) ||
    compareText(a.id, b.id) ||
    compareText(a.purl, b.purl)
  );
}

function nameFinding(finding: Finding): string {
  return cut(`${finding.id} in ${finding.packageName} ${finding.packageVersion}`);
}

function nameIssue(issue: CoverageIssue): string {
  const where = issue.path ?? issue.purl ?? issue.layer;
  return cut(where === undefined ? issue.detail : `${where}: ${issue.detail}`);
}

/** The first few names without repeats, and how many more there are. */
function first(names: readonly string[]): string {
  const distinct = [...new Set(names)];
  const named = distinct.slice(0, namedPerReason).join(', ');
  const more = distinct.length - namedPerReason;
  return more > 0 ? `${named} and ${more} more` : named;
}

function cut(text: string): string {
  return text.length <= maxNameLength ? text : `${text.slice(0, maxNameLength - 1)}…`;
}
