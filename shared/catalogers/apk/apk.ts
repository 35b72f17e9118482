/** Packages of Alpine, Wolfi and their relatives, from apk's database of installed packages. */
import { excerpt, Faults } from '../../base/faults.ts';
import { type LineReader, readRecords } from '../../base/records.ts';
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
  const faults = new Faults();
  let packages = 0;
  const takeLine: LineReader = (line, fields) => readLine(line, fields, faults);
  for await (const records of readRecords(file.stream(), maxLineLength, takeLine)) {
    for (const fields of records) {
      const claim = readRecord(fields, path, faults);
      if (claim === undefined) continue;
      packages += 1;
      if (packages > maxPackages) {
        yield { kind: 'unreadable', path, detail: `expected at most ${maxPackages} packages, found more` };
        return;
      }
      yield claim;
    }
  }
  const detail = faults.summary();
  if (detail !== undefined) yield { kind: 'unreadable', path, detail };
}

function readLine(line: string, fields: Map<string, string>, faults: Faults): void {
  if (line.charAt(1) !== ':') {
    faults.note(`expected a letter, a colon and a value, found ${excerpt(line)}`);
    return;
  }
  const letter = line.charAt(0);
  if (usedFields.has(letter)) fields.set(letter, line.slice(2));
}

function readRecord(
  fields: ReadonlyMap<string, string>,
  path: string,
  faults: Faults,
): PackageClaim | undefined {
  const name = fields.get('P');
  if (name === undefined || !namePattern.test(name)) {
    faults.note(`expected a package name in P:, found ${excerpt(name)}`);
    return undefined;
  }
  const version = fields.get('V');
  if (version === undefined || !versionPattern.test(version)) {
    faults.note(`package "${name}": expected a version in V:, found ${excerpt(version)}`);
    return undefined;
  }
  const architecture = fields.get('A');
  const hasArchitecture = architecture !== undefined && architecturePattern.test(architecture);
  if (architecture !== undefined && !hasArchitecture) {
    faults.note(`package "${name}": expected an architecture in A:, found ${excerpt(architecture)}`);
  }
  const origin = fields.get('o') ?? '';
  const hasOrigin = namePattern.test(origin);
  if (origin !== '' && !hasOrigin) {
    faults.note(`package "${name}": expected an origin in o:, found ${excerpt(origin)}`);
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
