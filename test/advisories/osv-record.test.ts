/** Records are written here after the publishers' habits that the OSV schema and their own documents describe. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapOsvRecord, maxRecordBytes, type RateCve } from '../../shared/advisories/osv-record.ts';

const noRating: RateCve = () => undefined;

interface Written {
  readonly [field: string]: unknown;
}

const range = { type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.0' }] };

function record(more: Written = {}, affected: Written = {}): Written {
  return {
    id: 'TEST-1',
    modified: '2026-01-01T00:00:00Z',
    affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [range], ...affected }],
    ...more,
  };
}

function map(json: unknown, ecosystem?: string, rateCve: RateCve = noRating) {
  return mapOsvRecord(Buffer.from(JSON.stringify(json)), ecosystem, rateCve);
}

describe('an OSV record', () => {
  it('becomes one row for each affected package, keyed by ecosystem with suffix and name', () => {
    const mapped = map(
      record({
        affected: [
          { package: { ecosystem: 'Alpine:v3.19', name: 'x' }, ranges: [range] },
          { package: { ecosystem: 'Alpine:v3.20', name: 'x' }, ranges: [range] },
        ],
      }),
      'Alpine',
    );
    expect(mapped.rows.map((one) => one.key)).toEqual(['Alpine:v3.19|x', 'Alpine:v3.20|x']);
    expect(mapped.skipped).toEqual([]);
  });

  it.each([
    ['PyPI', 'Foo__Bar.Baz', 'PyPI|foo-bar-baz'],
    ['NuGet', 'Newtonsoft.Json', 'NuGet|newtonsoft.json'],
    ['npm', 'JSONStream', 'npm|JSONStream'],
  ])('of %s is keyed by the name as that ecosystem compares it', (ecosystem, name, key) => {
    const mapped = map(record({}, { package: { ecosystem, name } }));
    expect(mapped.rows.map((one) => one.key)).toEqual([key]);
  });

  it('that names a package twice becomes one row with what either says', () => {
    const other = { type: 'ECOSYSTEM', events: [{ introduced: '3.0' }, { fixed: '3.1' }] };
    const named = { ecosystem: 'npm', name: 'a' };
    const mapped = map(
      record({
        affected: [
          { package: named, ranges: [range], versions: ['1.0'] },
          { package: named, ranges: [other], versions: ['3.0'] },
        ],
      }),
    );
    expect(mapped.rows).toHaveLength(1);
    expect(mapped.rows[0]?.row.ranges).toHaveLength(2);
    expect(mapped.rows[0]?.row.versions).toEqual(['1.0', '3.0']);
  });

  it.each<[string, Written]>([
    ['withdrawn', record({ withdrawn: '2026-01-02T00:00:00Z' })],
    ['nothing-affected', record({ affected: [] })],
    ['no-package', record({}, { package: null })],
    ['every-package', record({}, { package: { ecosystem: 'npm', name: '*' } })],
    ['git-only', record({}, { ranges: [{ type: 'GIT', repo: 'x', events: [{ introduced: '0' }] }] })],
    ['no-versions', record({}, { ranges: [] })],
    ['informational', record({}, { database_specific: { informational: 'unmaintained' } })],
    ['other-ecosystem', record({}, { package: { ecosystem: 'PyPI', name: 'a' } })],
    ['ill-formed', record({}, { ranges: [{ type: 'ECOSYSTEM', events: [{ fixed: '1.0' }] }] })],
    ['ill-formed', record({}, { ranges: [{ type: 'SEMVER', events: [{}] }] })],
    ['ill-formed', record({ id: 7 })],
    ['ill-formed', record({ id: 'x'.repeat(10_000) })],
    ['not-security', record({ id: 'ALBA-2026:1', summary: 'bash bug fix update' })],
  ])('is left out as %s, and says so', (reason, json) => {
    const mapped = map(json, 'npm');
    expect(mapped.rows).toEqual([]);
    expect(mapped.skipped).toEqual([reason]);
  });

  it('that is no JSON, or too large, is left out', () => {
    expect(mapOsvRecord(Buffer.from('{'), undefined, noRating).skipped).toEqual(['ill-formed']);
    expect(mapOsvRecord(new Uint8Array(maxRecordBytes + 1), undefined, noRating).skipped).toEqual([
      'too-large',
    ]);
  });

  it('keeps the version ranges beside a GIT range', () => {
    const git = { type: 'GIT', repo: 'x', events: [{ introduced: '0' }] };
    const mapped = map(record({}, { ranges: [git, range] }));
    expect(mapped.rows[0]?.row.ranges).toEqual([
      { type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.0' }] },
    ]);
  });

  it('of Go takes the custom ranges where the plain ones say "every version"', () => {
    const mapped = map(
      record(
        {},
        {
          package: { ecosystem: 'Go', name: 'gogs.io/gogs' },
          ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }] }],
          ecosystem_specific: {
            custom_ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '0.13.4' }] }],
          },
        },
      ),
    );
    expect(mapped.rows[0]?.row.ranges[0]?.events).toEqual([{ introduced: '0' }, { fixed: '0.13.4' }]);
  });

  it.each([
    ['<= 1.2.3', { lastAffected: '1.2.3' }],
    ['< 1.2.3', { limit: '1.2.3' }],
  ])('of GitHub without a fix ends at the last known affected version %s', (bound, end) => {
    const mapped = map(
      record(
        {},
        {
          ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }] }],
          database_specific: { last_known_affected_version_range: bound },
        },
      ),
    );
    expect(mapped.rows[0]?.row.ranges[0]?.events).toEqual([{ introduced: '0' }, end]);
  });

  it('never throws, whatever the bytes or the JSON', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.jsonValue().map((json) => Buffer.from(JSON.stringify(json))),
        ),
        (bytes) => {
          expect(mapOsvRecord(bytes, 'npm', noRating).rows).toEqual([]);
        },
      ),
    );
  });

  it('never throws on a record with any value in any of its fields', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('affected', 'severity', 'aliases', 'withdrawn', 'database_specific'),
        fc.jsonValue(),
        (field, value) => {
          const mapped = map(record({ [field]: value }), 'npm');
          expect(mapped.rows.length + mapped.skipped.length).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe('a record that would make matching expensive', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => ({ fixed: `1.0.${index}` }));

  it.each<[string, Written]>([
    ['in one package', { affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: manyRanges(11) }] }],
    [
      'in parts of one package',
      {
        affected: Array.from({ length: 11 }, () => ({
          package: { ecosystem: 'npm', name: 'a' },
          ranges: manyRanges(1),
        })),
      },
    ],
  ])('is left out, and that is said: too many events %s', (_name, more) => {
    const mapped = map(record(more));
    expect(mapped.rows).toEqual([]);
    expect(mapped.skipped).toEqual(['too-large']);
  });

  it('is left out where it has thousands of names', () => {
    const mapped = map(record({ aliases: Array.from({ length: 1_001 }, (_, index) => `X-${index}`) }));
    expect(mapped.rows).toEqual([]);
    expect(mapped.skipped).toEqual(['too-large']);
  });

  function manyRanges(count: number) {
    return Array.from({ length: count }, () => ({
      type: 'ECOSYSTEM',
      events: [{ introduced: '0' }, ...many(199)],
    }));
  }
});

describe('names of a record', () => {
  it('are aliases and upstream, never related', () => {
    const mapped = map(record({ aliases: ['CVE-2024-0001'], upstream: ['X-1'], related: ['CVE-2024-0009'] }));
    expect(mapped.rows[0]?.row.aliases).toEqual(['CVE-2024-0001', 'X-1']);
  });

  it('of an update with several CVEs are bundled', () => {
    const mapped = map(record({ id: 'DSA-1-1', upstream: ['CVE-2024-0002', 'CVE-2024-0001'] }));
    expect(mapped.rows[0]?.row).toMatchObject({
      aliases: [],
      bundled: [{ id: 'CVE-2024-0001' }, { id: 'CVE-2024-0002' }],
    });
  });

  it('of AlmaLinux are in related', () => {
    const mapped = map(record({ id: 'ALSA-2026:1', related: ['CVE-2024-0001'], summary: 'Important: a' }));
    expect(mapped.rows[0]?.row).toMatchObject({
      aliases: ['CVE-2024-0001'],
      severity: { severity: 'high', source: 'advisory' },
    });
  });
});

describe('the severity of a record', () => {
  const v3 = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H';
  const v4 = 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N';
  const cve: RateCve = (id) => (id === 'CVE-2024-0001' ? { severity: 'low', source: 'cve' } : undefined);

  it.each<[string, Written, Written, unknown]>([
    [
      'Debian’s urgency',
      {},
      { ecosystem_specific: { urgency: 'high' } },
      { severity: 'high', source: 'distro' },
    ],
    [
      'Debian’s unimportant',
      {},
      { ecosystem_specific: { urgency: 'unimportant' } },
      { severity: 'negligible' },
    ],
    [
      'Ubuntu’s word',
      { severity: [{ type: 'Ubuntu', score: 'medium' }] },
      {},
      { severity: 'medium', source: 'distro' },
    ],
    [
      'GitHub’s MODERATE',
      { database_specific: { severity: 'MODERATE' } },
      {},
      { severity: 'medium', source: 'advisory' },
    ],
    [
      'the word, with the vector kept',
      { database_specific: { severity: 'LOW' }, severity: [{ type: 'CVSS_V3', score: v3 }] },
      {},
      { severity: 'low', source: 'advisory', cvss: { vector: v3, score: 9.8 } },
    ],
    [
      'the newest score',
      {
        severity: [
          { type: 'CVSS_V3', score: v3 },
          { type: 'CVSS_V4', score: v4 },
        ],
      },
      {},
      { severity: 'high', source: 'advisory-cvss', cvss: { vector: v4, score: 8.7 } },
    ],
    [
      'the score of the package',
      {},
      { severity: [{ type: 'CVSS_V3', score: v3 }] },
      { severity: 'critical' },
    ],
    [
      'the CVE, where the record says nothing',
      { aliases: ['CVE-2024-0001'] },
      {},
      { severity: 'low', source: 'cve' },
    ],
    [
      'the CVE, where the vector is malformed',
      { aliases: ['CVE-2024-0001'], severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N' }] },
      {},
      { severity: 'low', source: 'cve' },
    ],
    [
      'the CVE, where Debian has not assigned a word',
      { aliases: ['CVE-2024-0001'] },
      { ecosystem_specific: { urgency: 'not yet assigned' } },
      { severity: 'low', source: 'cve' },
    ],
    ['malware', { id: 'MAL-2026-1' }, {}, { severity: 'critical', source: 'malicious' }],
  ])('is %s', (_, more, affected, expected) => {
    expect(map(record(more, affected), undefined, cve).rows[0]?.row.severity).toMatchObject(
      expected as object,
    );
  });

  it('is absent where nobody says any', () => {
    expect(map(record()).rows[0]?.row.severity).toBeUndefined();
  });

  it('of bundled CVEs is that of each', () => {
    const mapped = map(
      record({ id: 'DSA-1-1', upstream: ['CVE-2024-0001', 'CVE-2024-0002'] }),
      undefined,
      cve,
    );
    expect(mapped.rows[0]?.row.bundled).toEqual([
      { id: 'CVE-2024-0001', severity: { severity: 'low', source: 'cve' } },
      { id: 'CVE-2024-0002' },
    ]);
  });
});
