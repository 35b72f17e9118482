/** Builds the report of a verdict: every key in a fixed order and every list sorted, so that the same input gives the same bytes. */
import { compareText } from '../base/text-order.ts';
import type { AdvisoryRevision } from '../domain/advisory.ts';
import type { CoverageIssue } from '../domain/coverage.ts';
import type { Finding } from '../domain/finding.ts';
import type { ImageInventory, ImageLayer, ImageRecord } from '../domain/inventory.ts';
import type { Distro, Package } from '../domain/package.ts';
import type { Report, ReportFinding, ReportPackage } from '../domain/report.ts';
import { severityRank } from '../domain/severity.ts';
import { tool } from '../domain/tool.ts';
import type { JudgedDecision, Reason } from '../domain/verdict.ts';
import { endOfLifeOf } from './end-of-life.ts';

export interface ReportInput {
  readonly record: ImageRecord;
  /** The image as the person or the registry named it. */
  readonly reference: string;
  readonly inventory: ImageInventory;
  readonly findings: readonly Finding[];
  /** All coverage issues, those of the inventory included; repeats are told once. */
  readonly issues: readonly CoverageIssue[];
  readonly advisories: AdvisoryRevision;
  readonly verdict: {
    readonly decision: JudgedDecision;
    readonly asOf: string;
    readonly reasons: readonly Reason[];
    readonly policy: { readonly name: string; readonly revision: number };
    readonly exceptionsRevision: number;
    readonly engineRevision: number;
  };
}

/** The report. Layers stay bottom first; findings are sorted from the worst, all other lists by what names their entries. */
export function buildReport(input: ReportInput): Report {
  const { record, verdict } = input;
  const { os, architecture, variant } = record.platform;
  const issues = sortedIssues(input.issues);
  return {
    schemaVersion: '1.0',
    tool: { name: tool.name, version: tool.version },
    target: {
      reference: input.reference,
      digest: record.digest,
      mediaType: record.mediaType,
      platform: variant === undefined ? { os, architecture } : { os, architecture, variant },
      sizeBytes: record.sizeBytes,
    },
    os: input.inventory.distro === undefined ? null : toOs(input.inventory.distro),
    layers: record.layers.map(toLayer),
    packages: input.inventory.packages.map(toPackage).sort(comparePackages),
    findings: input.findings.map(toFinding).sort(compareFindings),
    leaks: [],
    checks: [],
    coverage: { complete: issues.length === 0, issues },
    advisories: {
      revision: input.advisories.revision,
      contentHash: input.advisories.contentHash,
      newestAt: input.advisories.newestAt,
    },
    analyzers: input.inventory.analyzers
      .map(({ name, version }) => ({ name, version }))
      .sort((a, b) => compareText(a.name, b.name) || a.version - b.version),
    verdict: {
      decision: verdict.decision,
      asOf: verdict.asOf,
      reasons: verdict.reasons.map(({ rule, message }) => ({ rule, message })),
      policy: { name: verdict.policy.name, revision: verdict.policy.revision },
      exceptionsRevision: verdict.exceptionsRevision,
      engineRevision: verdict.engineRevision,
    },
  };
}

/** The issues sorted by code, path, package, layer and detail, each once. */
export function sortedIssues(issues: readonly CoverageIssue[]): readonly CoverageIssue[] {
  const byText = new Map<string, CoverageIssue>();
  for (const issue of issues) {
    const { code, path, layer, purl, detail } = issue;
    const key = JSON.stringify([code, path ?? '', purl ?? '', layer ?? '', detail]);
    byText.set(key, {
      code,
      ...(path === undefined ? {} : { path }),
      ...(layer === undefined ? {} : { layer }),
      ...(purl === undefined ? {} : { purl }),
      detail,
    });
  }
  return [...byText].sort(([a], [b]) => compareText(a, b)).map(([, issue]) => issue);
}

function toOs(distro: Distro): NonNullable<Report['os']> {
  return {
    id: distro.id,
    versionId: distro.versionId ?? null,
    prettyName: distro.prettyName ?? null,
    endOfLife: endOfLifeOf(distro) ?? null,
  };
}

function toLayer(layer: ImageLayer): Report['layers'][number] {
  return {
    digest: layer.digest,
    diffId: layer.diffId ?? null,
    sizeBytes: layer.sizeBytes,
    createdBy: layer.createdBy ?? null,
  };
}

function toPackage(found: Package): ReportPackage {
  return {
    purl: found.purl,
    type: found.type,
    name: found.name,
    version: found.version,
    source: found.source === undefined ? null : { name: found.source.name, version: found.source.version },
    licenses: [...(found.licenses ?? [])].sort(compareText),
    layer: found.layer,
    paths: [...found.paths].sort(compareText),
    ownedBy: found.ownedBy,
  };
}

function toFinding(finding: Finding): ReportFinding {
  return {
    id: finding.id,
    aliases: [...finding.aliases].sort(compareText),
    purl: finding.purl,
    severity: finding.severity,
    severitySource: finding.severitySource,
    cvss: finding.cvss === undefined ? null : { vector: finding.cvss.vector, score: finding.cvss.score },
    summary: finding.summary ?? null,
    fixState: finding.fixState,
    fixedVersion: finding.fixedVersion ?? null,
    remediation: finding.remediation ?? null,
    epss: null,
    kev: null,
    malicious: finding.malicious,
    layer: finding.layer,
  };
}

function comparePackages(a: ReportPackage, b: ReportPackage): number {
  return (
    compareText(a.purl, b.purl) ||
    compareText(a.layer, b.layer) ||
    compareText(a.paths.join('\0'), b.paths.join('\0'))
  );
}

function compareFindings(a: ReportFinding, b: ReportFinding): number {
  return (
    severityRank(b.severity) - severityRank(a.severity) ||
    compareText(a.purl, b.purl) ||
    compareText(a.id, b.id) ||
    compareText(a.layer, b.layer)
  );
}
