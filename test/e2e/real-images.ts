/** Images that nobody here made, with what others say is in them: the lists that dpkg-query, npm ls and apk's own
 *  database give, and the advisories that hold for them. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../shared/domain/report.ts';
import { corpusPath } from '../support/corpus.ts';
import { madeImagesPath } from '../support/made-images.ts';

export interface RealImage {
  /** Name for the test, repository to push it to. */
  readonly name: string;
  /** For `plimsoll scan` and `skopeo copy` alike. */
  readonly target: string;
  /** Rows as `rowsOf` writes them. Read late: the files are not on every machine. */
  packages(): readonly string[];
  readonly findings: readonly string[];
  /** Codes of its coverage issues. */
  readonly coverage: readonly string[];
  readonly decision: 'fail' | 'warn' | 'pass';
}

const made = (tag: string): string => `oci:${madeImagesPath}/oci:${tag}`;

/** Columns of `dpkg-query -W`: package, version, architecture, source package, its version. */
const debianRows = (): readonly string[] =>
  linesOf(`${madeImagesPath}/expected/base.dpkg.tsv`).map((line) => `deb\t${line}`);

/** `npm ls --all --parseable --long` writes path:name@version; its first line is the application itself. */
const npmRows = (): readonly string[] =>
  linesOf(`${madeImagesPath}/expected/node.npm-ls.txt`)
    .slice(1)
    .map((line) => line.slice(line.indexOf(':') + 1))
    .map((spec) => `npm\t${spec.slice(0, spec.lastIndexOf('@'))}\t${spec.slice(spec.lastIndexOf('@') + 1)}`);

/** Of the GitHub advisories of npm, those that hold for express 4.16.0, lodash 4.17.15 and minimist 0.0.8 with what they
 *  bring: read by hand from npm/all.zip of the corpus. */
const lodashFindings = ['GHSA-29mw-wpgm-hmr9 lodash', 'GHSA-p6mc-m468-83gw lodash'];
const otherFindings = [
  'GHSA-rhx6-c78j-4q9w path-to-regexp',
  'GHSA-vh95-rmgr-6w4m minimist',
  'GHSA-xvch-5gv4-984h minimist',
];

/** Three images from Debian's and npm's packages (make-images.sh): Debian 12, of which the corpus has no advisory. */
export const debianImages: readonly RealImage[] = [
  {
    name: 'base',
    target: made('base'),
    packages: debianRows,
    findings: [],
    coverage: ['DISTRO_WITHOUT_ADVISORIES'],
    decision: 'fail',
  },
  {
    name: 'node',
    target: made('node'),
    packages: () => [...debianRows(), ...npmRows()],
    findings: [...lodashFindings, ...otherFindings],
    coverage: ['DISTRO_WITHOUT_ADVISORIES'],
    decision: 'fail',
  },
  {
    // Its last layer deletes lodash, but not the hidden lock file that still names it.
    name: 'whiteout',
    target: made('whiteout'),
    packages: () => [...debianRows(), ...npmRows().filter((row) => !row.startsWith('npm\tlodash\t'))],
    findings: otherFindings,
    coverage: ['DISTRO_WITHOUT_ADVISORIES'],
    decision: 'fail',
  },
];

export const alpineImage: RealImage = {
  name: 'alpine',
  target: `oci:${corpusPath}/images/alpine-3.10.2-oci:latest`,
  packages: () =>
    linesOf(`${corpusPath}/images/alpine-3.10.2.expected.tsv`)
      .slice(1)
      // The package, its version, its architecture, the package that it was built from.
      .map((line) => `apk\t${line.split('\t').slice(0, 4).join('\t')}`),
  // What Alpine's own security database for 3.10 names of openssl 1.1.1c-r0.
  findings: ['CVE-2019-1547', 'CVE-2019-1549', 'CVE-2019-1563'].flatMap((cve) => [
    `${cve} libcrypto1.1`,
    `${cve} libssl1.1`,
  ]),
  coverage: [],
  decision: 'warn',
};

/** The report's packages as rows of the expected files, sorted. */
export function rowsOf(report: Report): readonly string[] {
  return report.packages
    .map(({ type, name, version, purl, source }) => {
      const architecture = new URLSearchParams(purl.split('?')[1]).get('arch');
      if (type === 'deb') return [type, name, version, architecture, source?.name, source?.version];
      if (type === 'apk') return [type, name, version, architecture, source?.name];
      return [type, name, version];
    })
    .map((row) => row.join('\t'))
    .sort();
}

/** Each finding with its package: npm's by the id of GitHub, the distributions' by the CVE. */
export function findingsOf(report: Report): readonly string[] {
  return report.findings
    .map(({ id, aliases, purl }) => {
      const cve = [id, ...aliases].find((name) => name.startsWith('CVE-'));
      const found = report.packages.find((one) => one.purl === purl);
      return `${found?.type === 'npm' ? id : cve} ${found?.name}`;
    })
    .sort();
}

/** The corpus' advisories of these images' ecosystems, laid out as the bucket: the others would take seconds to no end. */
export async function linkAdvisories(folder: string): Promise<string> {
  const ecosystems = ['Alpine', 'Debian', 'npm'];
  await mkdir(folder);
  await writeFile(join(folder, 'ecosystems.txt'), `${ecosystems.join('\n')}\n`);
  for (const name of ecosystems) await symlink(join(corpusPath, 'osv', name), join(folder, name));
  return folder;
}

/** Whether a program is installed. */
export function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name)));
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}
