/** The shape of a report, as parseReport reads it and docs/schema/report.schema.json publishes it. Objects are open:
 *  later versions add keys. */
import { z } from 'zod';
import { coverageCodes } from '../domain/coverage.ts';
import type { Digest } from '../domain/digest.ts';
import { severities } from '../domain/severity.ts';
import { decisions } from '../domain/verdict.ts';

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text as Digest);
const time = z.string().describe('RFC 3339, UTC.');
const purl = z.string().describe('Package URL (package-url/purl-spec).');
const severity = z.enum(severities);
const layer = digest.describe('Digest of the layer that brought it.');
const revision = z.number().int().min(0);

const target = z.object({
  reference: z.string().describe('The image as it was named.'),
  digest: digest.describe('Digest of the manifest.'),
  mediaType: z.string(),
  platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().exactOptional() }),
  sizeBytes: z.number().int().min(0).describe('Sum of the compressed layers.'),
});

const os = z.object({
  id: z.string().describe('ID of os-release(5), in lower case.'),
  versionId: z.string().nullable(),
  prettyName: z.string().nullable(),
  endOfLife: z.string().nullable().describe('YYYY-MM-DD; null where it is not known.'),
});

const imageLayer = z.object({
  digest,
  diffId: digest.nullable().describe('Digest of the uncompressed layer as the config says.'),
  sizeBytes: z.number().int().min(0),
  createdBy: z.string().nullable().describe('Command of the history entry.'),
});

const foundPackage = z.object({
  purl,
  type: z.string(),
  name: z.string(),
  version: z.string(),
  source: z
    .object({ name: z.string(), version: z.string() })
    .nullable()
    .describe('Source package that the distribution built it from.'),
  licenses: z.array(z.string()),
  layer,
  paths: z.array(z.string()).describe('Paths that declare it, without a leading slash.'),
  ownedBy: purl.nullable().describe('OS package whose files these are.'),
});

const finding = z.object({
  id: z.string().describe('Id of the advisory.'),
  aliases: z.array(z.string()).describe('All other names of the vulnerability.'),
  purl,
  severity,
  severitySource: z.string().describe('Which source of the precedence spoke.'),
  cvss: z.object({ vector: z.string(), score: z.number().min(0).max(10) }).nullable(),
  summary: z.string().nullable(),
  fixState: z.enum(['fixed', 'not-fixed', 'wont-fix', 'deferred', 'unknown']),
  fixedVersion: z.string().nullable(),
  remediation: z.string().nullable().describe('What a person would type or change.'),
  epss: z.number().min(0).max(1).nullable().describe('null where no EPSS scores were read.'),
  kev: z.boolean().nullable().describe('null where no KEV catalog was read.'),
  malicious: z.boolean().describe('True for packages that were published to do harm.'),
  layer,
});

const leak = z.object({
  rule: z.string(),
  path: z.string(),
  line: z.number().int().min(1),
  layer,
  redacted: z.string(),
});

const check = z.object({
  id: z.string(),
  title: z.string(),
  severity,
  status: z.string(),
  evidence: z.string(),
});

const coverageIssue = z.object({
  code: z.enum(coverageCodes).describe('Explained in docs/coverage.md.'),
  path: z.string().exactOptional(),
  layer: digest.exactOptional(),
  purl: purl.exactOptional().describe('Package that could not be judged.'),
  detail: z.string(),
});

const verdict = z.object({
  decision: z.enum(decisions).describe('pending and error come from a server only.'),
  asOf: time.describe('The moment that the verdict is about; RFC 3339, UTC.'),
  reasons: z.array(z.object({ rule: z.string(), message: z.string() })),
  policy: z.object({ name: z.string(), revision }),
  exceptionsRevision: revision,
  engineRevision: revision,
});

/** A report of schema version 1.0. */
export const reportSchema = z.object({
  schemaVersion: z.literal('1.0'),
  tool: z.object({ name: z.literal('plimsoll'), version: z.string() }),
  target,
  os: os.nullable().describe('null where the image names no distribution.'),
  layers: z.array(imageLayer).describe('Bottom first.'),
  packages: z.array(foundPackage).describe('Sorted by purl.'),
  findings: z.array(finding).describe('From the worst severity, then sorted by purl.'),
  leaks: z.array(leak),
  checks: z.array(check),
  coverage: z.object({
    complete: z.boolean().describe('True where there is no issue.'),
    issues: z.array(coverageIssue),
  }),
  advisories: z.object({
    revision: revision.nullable().describe('null where a plain folder was read.'),
    contentHash: z.string(),
    newestAt: time,
  }),
  analyzers: z.array(z.object({ name: z.string(), version: z.number().int().min(1) })),
  verdict,
});
