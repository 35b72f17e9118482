/** The report: everything that a verdict rests on. Published as docs/schema/report.schema.json. */
import type { FixState } from './advisory.ts';
import type { Digest } from './digest.ts';
import type { Analyzer } from './inventory.ts';
import type { Platform } from './platform.ts';
import type { Severity } from './severity.ts';
import type { Coverage, Decision, Reason } from './verdict.ts';

export interface ReportPackage {
  readonly purl: string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly source: { readonly name: string; readonly version: string } | null;
  readonly licenses: readonly string[];
  readonly layer: Digest;
  readonly paths: readonly string[];
  readonly ownedBy: string | null;
}

export interface ReportFinding {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly purl: string;
  readonly severity: Severity;
  readonly severitySource: string;
  readonly cvss: { readonly vector: string; readonly score: number } | null;
  readonly summary: string | null;
  readonly fixState: FixState;
  readonly fixedVersion: string | null;
  readonly remediation: string | null;
  readonly epss: number | null;
  /** null where no KEV catalog was read. */
  readonly kev: boolean | null;
  /** True for packages that were published to do harm. */
  readonly malicious: boolean;
  readonly layer: Digest;
}

/** A credential that lies in a file. Nothing looks for them yet. */
export interface ReportLeak {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly layer: Digest;
  /** Never the credential itself. */
  readonly redacted: string;
}

/** A rule about the image's configuration or files. Nothing checks any yet. */
export interface ReportCheck {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly status: string;
  readonly evidence: string;
}

export interface Report {
  readonly schemaVersion: '1.0';
  readonly tool: { readonly name: 'plimsoll'; readonly version: string };
  readonly target: {
    readonly reference: string;
    readonly digest: Digest;
    readonly mediaType: string;
    readonly platform: Platform;
    readonly sizeBytes: number;
  };
  readonly os: {
    readonly id: string;
    readonly versionId: string | null;
    readonly prettyName: string | null;
    readonly endOfLife: string | null;
  } | null;
  readonly layers: readonly {
    readonly digest: Digest;
    readonly diffId: Digest | null;
    readonly sizeBytes: number;
    readonly createdBy: string | null;
  }[];
  readonly packages: readonly ReportPackage[];
  readonly findings: readonly ReportFinding[];
  readonly leaks: readonly ReportLeak[];
  readonly checks: readonly ReportCheck[];
  readonly coverage: Coverage;
  readonly advisories: {
    readonly revision: number | null;
    readonly contentHash: string;
    readonly newestAt: string;
  };
  readonly analyzers: readonly Analyzer[];
  readonly verdict: {
    /** `pending` and `error` come from a server only. */
    readonly decision: Decision;
    readonly asOf: string;
    readonly reasons: readonly Reason[];
    readonly policy: { readonly name: string; readonly revision: number };
    readonly exceptionsRevision: number;
    readonly engineRevision: number;
  };
}
