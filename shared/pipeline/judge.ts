/** Judges an image from what was read of its layers: a pure function of its input, without ports, clock or randomness. */
import type { AdvisoryIndex, PackageKey } from '../domain/advisory.ts';
import type { CoverageIssue } from '../domain/coverage.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { Finding } from '../domain/finding.ts';
import type { ImageInventory, ImageRecord } from '../domain/inventory.ts';
import type { PolicyRevision } from '../domain/policy.ts';
import type { Report } from '../domain/report.ts';
import { type Severity, severities } from '../domain/severity.ts';
import type { JudgedDecision, Reason, Revision, VerdictInputs, VerdictSummary } from '../domain/verdict.ts';
import { composeImage, type LayerSource } from '../image/compose.ts';
import { matchPackages, packageKeysOf } from '../matching/match.ts';
import { evaluatePolicy } from '../policy/evaluate-policy.ts';
import { buildReport, sortedIssues } from '../reports/report.ts';

/** Raised whenever the same inputs may judge otherwise. */
export const engineRevision = 1;

/** Days after which advisories count as stale: Debian and npm alone publish several a day, so that after two weeks
 *  without a new record it is the synchronisation that stands still. */
export const maxAdvisoriesAgeDays = 14;

/** How many reasons a summary carries; the report has all. */
const maxSummaryReasons = 5;

const dayMs = 24 * 60 * 60 * 1000;

export interface JudgeInput {
  readonly record: ImageRecord;
  /** One per layer of the record, bottom first; a layer that could not be read is its issue. */
  readonly layers: readonly (LayerSource | { readonly missing: CoverageIssue })[];
  /** Hash over the image record and the names of the layer inventories, in order. */
  readonly inventoriesHash: string;
  readonly index: AdvisoryIndex;
  readonly policy: PolicyRevision;
  readonly exceptions: Revision;
  /** The moment that the verdict is about; RFC 3339. */
  readonly asOf: string;
  readonly reference: string;
  /** Issues that the layers do not know of, such as STALE_ANALYZER. */
  readonly extraIssues?: readonly CoverageIssue[];
}

export interface Judgement {
  readonly inputs: VerdictInputs;
  readonly report: Report;
  readonly decision: JudgedDecision;
  readonly summary: VerdictSummary;
  /** Keys under which the packages were looked up: the image is affected when an advisory under one of them changes. */
  readonly packageKeys: readonly PackageKey[];
  /** From when the same inputs judge otherwise because time passed, RFC 3339; null where time changes nothing. */
  readonly validUntil: string | null;
}

/** The verdict on the image. Equal inputs give equal report bytes. Throws INVALID_INPUT where
 *  the number of layers is not the record's, and what reading the index throws. */
export async function judge(input: JudgeInput): Promise<Judgement> {
  const { record, index, policy, exceptions, asOf } = input;
  const inventory = await composePresent(record, input.layers);
  const matched = await matchPackages(inventory, index);
  const issues = sortedIssues([
    ...inventory.issues,
    ...matched.issues,
    ...(input.extraIssues ?? []),
    ...staleIssue(index.revision.newestAt, asOf),
  ]);
  const { decision, reasons } = evaluatePolicy(policy.policy, matched.findings, issues);
  const report = buildReport({
    record,
    reference: input.reference,
    inventory,
    findings: matched.findings,
    issues,
    advisories: index.revision,
    verdict: {
      decision,
      asOf,
      reasons,
      policy: { name: policy.policy.name, revision: policy.revision },
      exceptionsRevision: exceptions.revision,
      engineRevision,
    },
  });
  return {
    inputs: {
      inventories: input.inventoriesHash,
      advisories: { revision: index.revision.revision, contentHash: index.revision.contentHash },
      policy: { name: policy.policy.name, revision: policy.revision, contentHash: policy.contentHash },
      exceptions: { revision: exceptions.revision, contentHash: exceptions.contentHash },
      engine: engineRevision,
      asOf,
    },
    report,
    decision,
    summary: summarise(inventory, matched.findings, issues, reasons),
    packageKeys: packageKeysOf(inventory),
    validUntil: validUntil(index.revision.newestAt, asOf),
  };
}

/** Composes the layers that could be read; each of the others is its issue. What they would have brought or hidden is
 *  not known, which is why such an image must not pass in silence. Throws INVALID_INPUT where the number of layers
 *  is not the record's. */
export async function composePresent(
  record: ImageRecord,
  layers: JudgeInput['layers'],
): Promise<ImageInventory> {
  if (layers.length !== record.layers.length) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `expected a reading or an issue for each of the ${record.layers.length} layers of ${record.digest}, found ${layers.length}`,
    );
  }
  const read = layers.map((layer) => ('missing' in layer ? undefined : layer));
  const missing = layers.flatMap((layer) => ('missing' in layer ? [layer.missing] : []));
  const present = { ...record, layers: record.layers.filter((_, index) => read[index] !== undefined) };
  const inventory = await composeImage(
    present,
    read.filter((layer) => layer !== undefined),
  );
  return { ...inventory, issues: [...inventory.issues, ...missing] };
}

/** The moment when the advisories become stale; null where they are so already. */
function validUntil(newestAt: string, asOf: string): string | null {
  const staleAtMs = Date.parse(newestAt) + maxAdvisoriesAgeDays * dayMs;
  return Date.parse(asOf) < staleAtMs ? new Date(staleAtMs).toISOString() : null;
}

function staleIssue(newestAt: string, asOf: string): readonly CoverageIssue[] {
  if (validUntil(newestAt, asOf) !== null) return [];
  return [
    {
      code: 'ADVISORIES_STALE',
      detail: `the newest advisory is of ${newestAt}; expected at most ${maxAdvisoriesAgeDays} days before the verdict: synchronise the advisories`,
    },
  ];
}

function summarise(
  inventory: ImageInventory,
  findings: readonly Finding[],
  issues: readonly CoverageIssue[],
  reasons: readonly Reason[],
): VerdictSummary {
  const perSeverity = Object.fromEntries(
    severities.map((severity) => [severity, findings.filter((found) => found.severity === severity).length]),
  ) as Record<Severity, number>;
  return {
    packages: inventory.packages.length,
    findings: perSeverity,
    fixable: findings.filter((finding) => finding.fixedVersion !== undefined).length,
    coverageComplete: issues.length === 0,
    coverageIssues: issues.length,
    reasons: reasons.slice(0, maxSummaryReasons),
  };
}
