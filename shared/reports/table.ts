/** The report as a table for people. */
import type { CoverageIssue } from '../domain/coverage.ts';
import { formatPlatform } from '../domain/platform.ts';
import type { Report, ReportFinding } from '../domain/report.ts';
import { type Severity, severities } from '../domain/severity.ts';
import type { Decision } from '../domain/verdict.ts';
import { safeText, shorten } from './safe-text.ts';

export interface TableOptions {
  /** True where the table goes to a terminal that shows colours. */
  readonly colour: boolean;
  /** Width of the terminal; without one nothing is cut but single cells. */
  readonly columns?: number | undefined;
}

/** Longest cell where no terminal sets a width, in characters: one hostile name must not push all others apart. */
const maxCellLength = 60;

/** Narrowest that a cell becomes on a narrow terminal, in characters. */
const minCellLength = 12;

/** Most coverage issues of one code that are listed; the JSON report has all. */
const maxIssuesPerCode = 10;

/** The report as lines, with a line end after the last. Every text of the image is made safe for a terminal. */
export function renderTable(report: Report, options: TableOptions): string {
  const paint = options.colour ? colours : plain;
  return [
    ...headerLines(report),
    verdictLine(report, paint),
    '',
    ...findingLines(report, options, paint),
    ...coverageLines(report.coverage.issues, options, paint),
    '',
    verdictLine(report, paint),
    ...reasonLines(report, options),
  ]
    .join('\n')
    .concat('\n');
}

type Paint = (text: string, style: Style) => string;
type Style = 'bold' | 'red' | 'yellow' | 'green' | 'dim';

const styleCodes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

const colours: Paint = (text, style) => `\u001B[${styleCodes[style]}m${text}\u001B[0m`;
const plain: Paint = (text) => text;

const severityStyles: Readonly<Record<Severity, Style>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'dim',
  negligible: 'dim',
  unknown: 'yellow',
};

const decisionStyles: Readonly<Record<Decision, Style>> = {
  pass: 'green',
  warn: 'yellow',
  fail: 'red',
  pending: 'yellow',
  error: 'red',
};

function headerLines(report: Report): string[] {
  const { target, os, advisories } = report;
  const rows: [string, string][] = [
    ['Image', target.reference],
    ['Digest', target.digest],
    ['Platform', formatPlatform(target.platform)],
    [
      'System',
      os === null ? 'none named' : (os.prettyName ?? [os.id, os.versionId].filter(Boolean).join(' ')),
    ],
    ['Packages', packageCounts(report)],
    [
      'Advisories',
      `newest of ${advisories.newestAt}${advisories.revision === null ? '' : `, revision ${advisories.revision}`}`,
    ],
  ];
  return rows.map(([label, text]) => `${label.padEnd(12)}${safeText(text)}`);
}

function packageCounts(report: Report): string {
  const counts = new Map<string, number>();
  for (const found of report.packages) counts.set(found.type, (counts.get(found.type) ?? 0) + 1);
  const perType = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([type, count]) => `${count} ${type}`);
  return counts.size === 0 ? '0' : `${report.packages.length} (${perType.join(', ')})`;
}

function findingLines(report: Report, options: TableOptions, paint: Paint): string[] {
  if (report.findings.length === 0) return ['No findings.', ''];
  const packages = new Map(report.packages.map((found) => [found.purl, found]));
  const rows = report.findings.map((finding) => {
    const found = packages.get(finding.purl);
    return {
      severity: finding.severity,
      cells: [
        finding.severity,
        found?.name ?? finding.purl,
        found?.version ?? '',
        fixText(finding),
        nameOf(finding),
      ],
    };
  });
  const lines = alignRows(
    ['SEVERITY', 'PACKAGE', 'INSTALLED', 'FIXED', 'VULNERABILITY'],
    rows.map((row) => row.cells),
    options,
  );
  const [head = '', ...body] = lines;
  return [
    paint(head, 'bold'),
    ...body.map((line, index) => {
      const severity = rows[index]?.severity ?? 'unknown';
      return paint(line.slice(0, severity.length), severityStyles[severity]) + line.slice(severity.length);
    }),
    '',
    countLine(report),
    '',
  ];
}

function fixText(finding: ReportFinding): string {
  if (finding.fixedVersion !== null) return finding.fixedVersion;
  return finding.fixState === 'unknown' ? 'none known' : finding.fixState;
}

/** The advisory's id, with the CVE where that is another name. */
function nameOf(finding: ReportFinding): string {
  const cve = finding.aliases.find((alias) => alias.startsWith('CVE-'));
  const name = finding.id.startsWith('CVE-') || cve === undefined ? finding.id : `${finding.id} (${cve})`;
  return finding.malicious ? `${name} malicious package` : name;
}

function countLine(report: Report): string {
  const counts = severities.flatMap((severity) => {
    const number = report.findings.filter((finding) => finding.severity === severity).length;
    return number === 0 ? [] : [`${number} ${severity}`];
  });
  const fixable = report.findings.filter((finding) => finding.fixedVersion !== null).length;
  return `${count(report.findings.length, 'finding')}: ${counts.join(', ')}; ${fixable} with a fix`;
}

function coverageLines(issues: readonly CoverageIssue[], options: TableOptions, paint: Paint): string[] {
  if (issues.length === 0) return ['Coverage    complete'];
  const byCode = Map.groupBy(issues, (issue) => issue.code);
  const lines = [
    paint(`Coverage    incomplete: ${count(issues.length, 'issue')} (docs/coverage.md)`, 'yellow'),
  ];
  for (const [code, ofCode] of byCode) {
    for (const issue of ofCode.slice(0, maxIssuesPerCode)) {
      const where = issue.path ?? issue.purl ?? issue.layer;
      const text = where === undefined ? issue.detail : `${where}: ${issue.detail}`;
      lines.push(paragraph(`${code} ${text}`, options));
    }
    if (ofCode.length > maxIssuesPerCode) {
      lines.push(`  ${code} and ${ofCode.length - maxIssuesPerCode} more`);
    }
  }
  return lines;
}

/** Stands at the top, and again above the reasons at the end, where a terminal shows it after a long table. */
function verdictLine(report: Report, paint: Paint): string {
  const { decision, policy } = report.verdict;
  return `Verdict     ${paint(decision.toUpperCase(), decisionStyles[decision])} by policy ${safeText(policy.name)}`;
}

function reasonLines(report: Report, options: TableOptions): string[] {
  return report.verdict.reasons.map((reason) => paragraph(`${reason.rule}: ${reason.message}`, options));
}

/** The rows as lines of padded cells. On a terminal that is too narrow the widest columns are cut, never the last. */
function alignRows(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string[] {
  const safe = [head, ...rows.map((row) => row.map((cell) => shorten(safeText(cell), maxCellLength)))];
  const widths = head.map((_, column) =>
    safe.reduce((widest, row) => Math.max(widest, lengthOf(row[column] ?? '')), 0),
  );
  fitWidths(widths, options.columns);
  return safe.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : padEnd(shorten(cell, widths[column] ?? 0), widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function fitWidths(widths: number[], columns: number | undefined): void {
  if (columns === undefined) return;
  const gaps = 2 * (widths.length - 1);
  for (;;) {
    const total = widths.reduce((sum, width) => sum + width, gaps);
    const shrinkable = widths.slice(0, -1);
    const widest = Math.max(...shrinkable);
    if (total <= columns || widest <= minCellLength) return;
    const index = shrinkable.indexOf(widest);
    widths[index] = Math.max(minCellLength, widest - (total - columns));
  }
}

/** A line indented by two, wrapped between words where a terminal is narrower; texts that explain are never cut off. */
function paragraph(text: string, options: TableOptions): string {
  const limit = options.columns ?? Number.POSITIVE_INFINITY;
  const lines: string[] = [];
  let line = ' ';
  for (const word of safeText(text).split(' ')) {
    if (lengthOf(line) + 1 + lengthOf(word) > limit && line.trim() !== '') {
      lines.push(line);
      line = '     ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

function padEnd(text: string, length: number): string {
  return text + ' '.repeat(Math.max(0, length - lengthOf(text)));
}

function lengthOf(text: string): number {
  return [...text].length;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
