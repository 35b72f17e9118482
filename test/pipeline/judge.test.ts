import { describe, expect, it } from 'vitest';
import type { AdvisoryIndex, AdvisoryRow } from '../../shared/domain/advisory.ts';
import { packageKey } from '../../shared/domain/advisory.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import type { ImageRecord, LayerInventory } from '../../shared/domain/inventory.ts';
import type { Claim, PackageClaim } from '../../shared/domain/package.ts';
import type { LayerSource } from '../../shared/image/compose.ts';
import { engineRevision, type JudgeInput, judge, maxAdvisoriesAgeDays } from '../../shared/pipeline/judge.ts';
import { defaultPolicy } from '../../shared/policy/default-policy.ts';
import { policyRevisionOf } from '../../shared/policy/policy-revision.ts';
import { reportBytes } from '../../shared/reports/json.ts';

const lower = digestOf('lower layer');
const upper = digestOf('upper layer');

const record: ImageRecord = {
  digest: digestOf('manifest'),
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  configDigest: digestOf('config'),
  platform: { os: 'linux', architecture: 'amd64' },
  sizeBytes: 2,
  layers: [
    { digest: lower, mediaType: 'application/vnd.oci.image.layer.v1.tar', sizeBytes: 1, diffId: lower },
    { digest: upper, mediaType: 'application/vnd.oci.image.layer.v1.tar', sizeBytes: 1, diffId: upper },
  ],
};

const row: AdvisoryRow = {
  id: 'GHSA-test-0000-0001',
  aliases: ['CVE-2099-0001'],
  ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '2.0.0' }] }],
  severity: { severity: 'high', source: 'advisory' },
};

function indexOf(rows: Readonly<Record<string, readonly AdvisoryRow[]>>, newestAt: string): AdvisoryIndex {
  return {
    revision: { revision: 7, contentHash: digestOf('advisories'), newestAt },
    covers: (ecosystem) => ecosystem === 'npm',
    lookup: async (keys) =>
      new Map(keys.flatMap((key) => (rows[key] === undefined ? [] : [[key, rows[key]] as const]))),
    changedSince: async () => false,
  };
}

/** A layer in which npm packages are installed. */
function layerOf(digest: typeof lower, packages: Readonly<Record<string, string>>): LayerSource {
  const claims = Object.entries(packages).map(([name, version]): PackageClaim => {
    const path = `app/node_modules/${name}/package.json`;
    return { kind: 'package', type: 'npm', name, version, evidence: 'installed', path };
  });
  const inventory: LayerInventory = {
    schema: 1,
    layerDigest: digest,
    diffId: digest,
    compressedBytes: 1,
    uncompressedBytes: 1,
    entryCount: claims.length,
    compression: 'none',
    analyzers: [{ name: 'npm', version: 1 }],
    files: claims.map(({ path }) => ({ path, cataloger: 'npm', group: path, entry: 'file' })),
    groups: claims.map((claim) => ({
      cataloger: 'npm',
      group: claim.path,
      claims: [claim] satisfies Claim[],
    })),
    whiteouts: [],
    opaqueDirectories: [],
    wantedDirectories: [],
    issues: [],
  };
  return { inventory, leafPaths: async () => claims.map(({ path }) => path) };
}

const input: JudgeInput = {
  record,
  layers: [layerOf(lower, { left: '1.0.0' }), layerOf(upper, { right: '1.0.0' })],
  inventoriesHash: 'inventories',
  index: indexOf({ [packageKey('npm', 'left')]: [row] }, '2026-11-20T00:00:00Z'),
  policy: policyRevisionOf(defaultPolicy, 3),
  exceptions: { revision: 0, contentHash: digestOf('[]') },
  asOf: '2026-11-24T12:00:00.000Z',
  reference: 'registry.example.com/team/app:v1',
};

describe('judging', () => {
  it('names every input, and counts in the summary what the report lists', async () => {
    const judgement = await judge(input);
    expect(judgement.inputs).toEqual({
      inventories: 'inventories',
      advisories: { revision: 7, contentHash: digestOf('advisories') },
      policy: { name: 'default', revision: 3, contentHash: input.policy.contentHash },
      exceptions: { revision: 0, contentHash: digestOf('[]') },
      engine: engineRevision,
      asOf: '2026-11-24T12:00:00.000Z',
    });
    expect(judgement.decision).toBe('fail');
    expect(judgement.summary).toEqual({
      packages: 2,
      findings: { critical: 0, high: 1, medium: 0, low: 0, negligible: 0, unknown: 0 },
      fixable: 1,
      coverageComplete: true,
      coverageIssues: 0,
      reasons: judgement.report.verdict.reasons,
    });
    expect(judgement.report).toMatchObject({
      findings: [{ id: 'GHSA-test-0000-0001', fixedVersion: '2.0.0', layer: lower }],
      verdict: {
        decision: 'fail',
        policy: { name: 'default', revision: 3 },
        exceptionsRevision: 0,
        engineRevision,
        asOf: '2026-11-24T12:00:00.000Z',
      },
    });
    expect(judgement.packageKeys).toEqual(expect.arrayContaining(['npm|left', 'npm|right']));
  });

  it('gives the same bytes for the same inputs', async () => {
    const [first, second] = [await judge(input), await judge(structuredCloneOf(input))];
    expect(Buffer.from(reportBytes(second.report)).equals(reportBytes(first.report))).toBe(true);
    expect(second.inputs).toEqual(first.inputs);
  });

  it('never passes an image in silence of which a layer could not be read', async () => {
    const missing = {
      code: 'LAYER_NOT_AVAILABLE',
      layer: lower,
      detail: 'the layer is not in the repository',
    } as const;
    const judgement = await judge({ ...input, layers: [{ missing }, ...input.layers.slice(1)] });
    expect(judgement.decision).toBe('fail');
    expect(judgement.report.coverage.issues).toContainEqual(missing);
    expect(judgement.report.packages.map((found) => found.name)).toEqual(['right']);
    expect(judgement.report.layers).toHaveLength(2);
  });

  it.each([
    ['too few', (layers: JudgeInput['layers']) => layers.slice(1)],
    ['too many', (layers: JudgeInput['layers']) => [...layers, ...layers]],
  ])('refuses %s layers', async (_, change) => {
    await expect(judge({ ...input, layers: change(input.layers) })).rejects.toHaveProperty(
      'code',
      'INVALID_INPUT',
    );
  });

  it('reports what it is told beside the layers', async () => {
    const issue = { code: 'STALE_ANALYZER', layer: upper, detail: 'read again later' } as const;
    const judgement = await judge({ ...input, extraIssues: [issue, issue] });
    expect(judgement.report.coverage.issues).toEqual([issue]);
    expect(judgement.summary).toMatchObject({ coverageComplete: false, coverageIssues: 1 });
  });

  it.each([
    ['fresh', '2026-11-20T00:00:00Z', '2026-12-03T23:59:59.999Z', false],
    ['two weeks old', '2026-11-20T00:00:00Z', '2026-12-04T00:00:00Z', true],
    ['of no known age', 'yesterday', '2026-11-20T00:00:00Z', true],
  ])('tells advisories that are %s', async (_, newestAt, asOf, isStale) => {
    expect(maxAdvisoriesAgeDays).toBe(14);
    const judgement = await judge({ ...input, index: indexOf({}, newestAt), asOf });
    expect(judgement.report.coverage.issues.map((issue) => issue.code)).toEqual(
      isStale ? ['ADVISORIES_STALE'] : [],
    );
    expect(judgement.validUntil).toBe(isStale ? null : '2026-12-04T00:00:00.000Z');
    expect(judgement.decision).toBe(isStale ? 'warn' : 'pass');
  });
});

/** The same input in other objects, with the keys of its records in another order. */
function structuredCloneOf(original: JudgeInput): JudgeInput {
  return {
    ...original,
    record: reversed(structuredClone(original.record)),
    layers: [layerOf(lower, { left: '1.0.0' }), layerOf(upper, { right: '1.0.0' })],
  };
}

function reversed<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).reverse()) as T;
}
