/** Findings, packages and image records for tests, each overridable. */

import type { CoverageIssue } from '../../shared/domain/coverage.ts';
import type { Digest } from '../../shared/domain/digest.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import type { Finding } from '../../shared/domain/finding.ts';
import type { ImageInventory, ImageRecord } from '../../shared/domain/inventory.ts';
import type { Package } from '../../shared/domain/package.ts';
import type { Report } from '../../shared/domain/report.ts';
import { defaultPolicy } from '../../shared/policy/default-policy.ts';
import { evaluatePolicy } from '../../shared/policy/evaluate-policy.ts';
import { buildReport } from '../../shared/reports/report.ts';

export const sampleLayer: Digest = digestOf('layer');

export function sampleFinding(overrides: Partial<Finding> = {}): Finding {
  return {
    id: 'GHSA-aaaa-bbbb-cccc',
    aliases: ['CVE-2020-0001'],
    purl: 'pkg:npm/lodash@4.17.15',
    packageName: 'lodash',
    packageVersion: '4.17.15',
    severity: 'high',
    severitySource: 'advisory',
    fixState: 'fixed',
    fixedVersion: '4.17.21',
    layer: sampleLayer,
    malicious: false,
    ...overrides,
  };
}

/** The finding without a fixed version. */
export function unfixed(finding: Finding): Finding {
  const { fixedVersion: _, ...rest } = finding;
  return { ...rest, fixState: 'not-fixed' };
}

export function samplePackage(overrides: Partial<Package> = {}): Package {
  return {
    purl: 'pkg:npm/lodash@4.17.15',
    type: 'npm',
    name: 'lodash',
    version: '4.17.15',
    layer: sampleLayer,
    paths: ['app/node_modules/lodash/package.json'],
    ownedBy: null,
    ...overrides,
  };
}

export const sampleRecord: ImageRecord = {
  digest: digestOf('manifest'),
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  configDigest: digestOf('config'),
  platform: { os: 'linux', architecture: 'amd64' },
  sizeBytes: 1234,
  layers: [
    { digest: sampleLayer, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', sizeBytes: 1234 },
  ],
};

export interface SampleReport {
  readonly findings?: readonly Finding[];
  readonly issues?: readonly CoverageIssue[];
  readonly packages?: readonly Package[];
  readonly distro?: ImageInventory['distro'];
}

/** A report of these under the default policy. */
export function sampleReport(sample: SampleReport = {}): Report {
  const { findings = [], issues = [], packages = [samplePackage()], distro } = sample;
  return buildReport({
    record: sampleRecord,
    reference: 'registry.example.com/team/app:v1',
    inventory: { packages, distro, analyzers: [{ name: 'npm', version: 1 }], issues: [] },
    findings,
    issues,
    advisories: { revision: null, contentHash: digestOf('advisories'), newestAt: '2026-11-20T00:00:00Z' },
    verdict: {
      ...evaluatePolicy(defaultPolicy, findings, issues),
      asOf: '2026-11-24T12:00:00Z',
      policy: { name: 'default', revision: 1 },
      exceptionsRevision: 0,
      engineRevision: 1,
    },
  });
}
