/** Advisories about the sample image's faults, laid out as the OSV bucket: the sample needs no network. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { storedZip } from './stored-zip.ts';

interface SampleAdvisory {
  readonly id: string;
  readonly ecosystem: 'npm' | 'Debian:12';
  readonly package: string;
  readonly cves: readonly string[];
  readonly cvss: string;
  readonly severity: 'CRITICAL' | 'HIGH' | 'MODERATE';
  /** Pairs of `introduced` and `fixed`. */
  readonly ranges: readonly (readonly [string, string])[];
}

/** Ids, ranges and severities as GitHub's advisories and Debian's DSA list name them. */
const advisories: readonly SampleAdvisory[] = [
  {
    id: 'GHSA-p6mc-m468-83gw',
    ecosystem: 'npm',
    package: 'lodash',
    cves: ['CVE-2020-8203'],
    cvss: 'CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:H',
    severity: 'HIGH',
    ranges: [['3.7.0', '4.17.19']],
  },
  {
    id: 'GHSA-29mw-wpgm-hmr9',
    ecosystem: 'npm',
    package: 'lodash',
    cves: ['CVE-2020-28500'],
    cvss: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L',
    severity: 'MODERATE',
    ranges: [['4.0.0', '4.17.21']],
  },
  {
    id: 'GHSA-xvch-5gv4-984h',
    ecosystem: 'npm',
    package: 'minimist',
    cves: ['CVE-2021-44906'],
    cvss: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
    severity: 'CRITICAL',
    ranges: [
      ['0', '0.2.4'],
      ['1.0.0', '1.2.6'],
    ],
  },
  {
    id: 'DSA-5764-1',
    ecosystem: 'Debian:12',
    package: 'openssl',
    cves: ['CVE-2024-6119'],
    cvss: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H',
    severity: 'HIGH',
    ranges: [['0', '3.0.14-1~deb12u2']],
  },
];

/** Writes the feed into the folder; `now` is when the records count as modified: they are whole as they stand. */
export async function writeSampleAdvisories(folder: string, now: Date): Promise<void> {
  // To the day: a second start on the same day changes nothing and publishes nothing.
  const modified = `${now.toISOString().slice(0, 10)}T00:00:00Z`;
  const folders = Map.groupBy(advisories, ({ ecosystem }) => ecosystem.split(':', 1)[0] ?? ecosystem);
  for (const [name, records] of folders) {
    await mkdir(join(folder, name), { recursive: true });
    const files = records.map((record) => ({
      name: `${record.id}.json`,
      bytes: Buffer.from(JSON.stringify(osvRecord(record, modified))),
    }));
    await writeFile(join(folder, name, 'all.zip'), storedZip(files));
    const lines = records.map(({ id }) => `${modified},${id}\n`);
    await writeFile(join(folder, name, 'modified_id.csv'), lines.join(''));
  }
  await writeFile(join(folder, 'ecosystems.txt'), `${[...folders.keys()].join('\n')}\n`);
}

function osvRecord(advisory: SampleAdvisory, modified: string): object {
  const isDebian = advisory.ecosystem.startsWith('Debian');
  return {
    schema_version: '1.7.5',
    id: advisory.id,
    modified,
    // A distribution's record passes a CVE on, it is not the same record (OSV schema, "upstream").
    [isDebian ? 'upstream' : 'aliases']: advisory.cves,
    severity: [{ type: 'CVSS_V3', score: advisory.cvss }],
    affected: [
      {
        package: { ecosystem: advisory.ecosystem, name: advisory.package },
        ranges: advisory.ranges.map(([introduced, fixed]) => ({
          type: isDebian ? 'ECOSYSTEM' : 'SEMVER',
          events: [{ introduced }, { fixed }],
        })),
      },
    ],
    database_specific: { severity: advisory.severity },
  };
}
