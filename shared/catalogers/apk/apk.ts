/** Packages of Alpine, Wolfi and their relatives, from apk's database of installed packages. */
import { readLines } from '../../base/lines.ts';
import type { Claim, PackageClaim } from '../../domain/package.ts';
import type { Cataloger, LayerFile } from '../contract.ts';

/** The database names every installed file; that of a large desktop is 20 MB. */
const maxFileBytes = 64 * 1024 * 1024;
/** Alpine has 27,000 packages. */
const maxPackages = 100_000;
/** Longer lines are cut: the fields that are used are shorter. */
const maxLineLength = 65_536;
const maxLicenseLength = 1000;

/** Reads `lib/apk/db/installed` and, with a merged /usr, `usr/lib/apk/db/installed` (apk-package(5)): records that an
 *  empty line ends. The origin is the source. Virtual packages, which have none, are claimed without source. */
export const apkCataloger: Cataloger = {
  name: 'apk',
  version: 1,
  maxFileBytes,
  wants(path) {
    return path === 'lib/apk/db/installed' || path === 'usr/lib/apk/db/installed' ? path : undefined;
  },
  async *catalog(files) {
    for (const file of files) yield* readDatabase(file);
  },
};

/** P name, V version, A architecture, o origin, L licence. */
const usedFields: ReadonlySet<string> = new Set(['P', 'V', 'A', 'o', 'L']);

const namePattern = /^[A-Za-z0-9._][A-Za-z0-9+._-]{0,254}$/;
const versionPattern = /^[\x21-\x7e]{1,512}$/;
const architecturePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;

async function* readDatabase(file: LayerFile): AsyncGenerator<Claim> {
  const { path } = file;
  let fields = new Map<string, string>();
  let faults = 0;
  let firstFault = '';
  let packages = 0;
  const note = (fault: string): void => {
    faults += 1;
    if (faults === 1) firstFault = fault;
  };
  for await (const lines of readLines(file.stream(), maxLineLength)) {
    for (const line of lines) {
      if (line !== '') {
        readLine(line, fields, note);
        continue;
      }
      if (fields.size === 0) continue;
      const claim = readRecord(fields, path, note);
      fields = new Map();
      if (claim === undefined) continue;
      packages += 1;
      if (packages > maxPackages) {
        yield { kind: 'unreadable', path, detail: `expected at most ${maxPackages} packages, found more` };
        return;
      }
      yield claim;
    }
  }
  const last = fields.size === 0 ? undefined : readRecord(fields, path, note);
  if (last !== undefined) yield last;
  if (faults > 0) yield { kind: 'unreadable', path, detail: describeFaults(firstFault, faults) };
}

function readLine(line: string, fields: Map<string, string>, note: (fault: string) => void): void {
  if (line.charAt(1) !== ':') {
    note(`expected a letter, a colon and a value, found "${line.slice(0, 80)}"`);
    return;
  }
  const letter = line.charAt(0);
  if (usedFields.has(letter)) fields.set(letter, line.slice(2));
}

function readRecord(
  fields: ReadonlyMap<string, string>,
  path: string,
  note: (fault: string) => void,
): PackageClaim | undefined {
  const name = fields.get('P');
  if (name === undefined || !namePattern.test(name)) {
    note(`expected a package name in P:, found "${short(name)}"`);
    return undefined;
  }
  const version = fields.get('V');
  if (version === undefined || !versionPattern.test(version)) {
    note(`package "${name}": expected a version in V:, found "${short(version)}"`);
    return undefined;
  }
  const architecture = fields.get('A');
  const hasArchitecture = architecture !== undefined && architecturePattern.test(architecture);
  if (architecture !== undefined && !hasArchitecture) {
    note(`package "${name}": expected an architecture in A:, found "${short(architecture)}"`);
  }
  const origin = fields.get('o') ?? '';
  const hasOrigin = namePattern.test(origin);
  if (origin !== '' && !hasOrigin) {
    note(`package "${name}": expected an origin in o:, found "${short(origin)}"`);
  }
  const license = (fields.get('L') ?? '').trim();
  const hasLicense = license !== '' && license.length <= maxLicenseLength;
  return {
    kind: 'package',
    type: 'apk',
    name,
    version,
    ...(hasArchitecture ? { architecture } : {}),
    ...(hasOrigin ? { source: { name: origin, version } } : {}),
    ...(hasLicense ? { licenses: [license] } : {}),
    evidence: 'installed',
    path,
  };
}

function describeFaults(first: string, count: number): string {
  return count === 1 ? first : `${first} (and ${count - 1} more faults in this file)`;
}

function short(text: string | undefined): string {
  return text === undefined ? 'nothing' : text.slice(0, 80);
}
