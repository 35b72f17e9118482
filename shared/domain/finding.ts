/** Findings: a vulnerability in a package of an image. */
import type { FixState } from './advisory.ts';
import type { Digest } from './digest.ts';
import type { Severity } from './severity.ts';

/** One vulnerability in one package, whatever the number of its names. */
export interface Finding {
  /** Id of the advisory that gives the most: the ecosystem's own before a general one. */
  readonly id: string;
  /** All its other names, sorted. */
  readonly aliases: readonly string[];
  readonly purl: string;
  readonly packageName: string;
  readonly packageVersion: string;
  readonly severity: Severity;
  readonly severitySource: string;
  readonly cvss?: { readonly vector: string; readonly score: number };
  readonly summary?: string;
  readonly fixState: FixState;
  readonly fixedVersion?: string;
  readonly remediation?: string;
  readonly layer: Digest;
  readonly malicious: boolean;
}
