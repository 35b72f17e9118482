/** Packages of Debian and its derivatives, from dpkg's status file and distroless' status.d. */
import { excerpt, Faults } from '../../base/faults.ts';
import { type LineReader, readRecords } from '../../base/records.ts';
import type { Claim, PackageClaim, SourcePackage } from '../../domain/package.ts';
import type { Cataloger, LayerFile } from '../contract.ts';

/** A status file of every package that Debian has is 60 MB. */
const maxFileBytes = 64 * 1024 * 1024;
/** Debian 12 has 64,000 packages; no image has a third of them. */
const maxPackages = 100_000;
/** Longer lines are cut: the fields that are used are shorter, the list of a kernel's files is not read here. */
const maxLineLength = 65_536;

/** Reads `var/lib/dpkg/status` and each `var/lib/dpkg/status.d/*` (deb822 paragraphs). Packages whose state is
 *  `not-installed` or `config-files` have no files and are left out; without a Status (status.d) all are there. The
 *  source is the package itself where no Source is named. */
export const dpkgCataloger: Cataloger = {
  name: 'dpkg',
  version: 1,
  maxFileBytes,
  wants(path) {
    if (!path.startsWith('var/lib/dpkg/status')) return undefined;
    return path === statusFile || isStatusDirectoryFile(path) ? path : undefined;
  },
  async *catalog(files) {
    for (const file of files) yield* readStatus(file);
  },
};

const statusFile = 'var/lib/dpkg/status';
const statusDirectory = 'var/lib/dpkg/status.d/';

/** The fields that are used; names are case-insensitive. */
const usedFields: ReadonlySet<string> = new Set(['package', 'status', 'version', 'architecture', 'source']);
const statesWithoutFiles: ReadonlySet<string> = new Set(['not-installed', 'config-files']);

const namePattern = /^[A-Za-z0-9][A-Za-z0-9+._-]{0,254}$/;
const versionPattern = /^[\x21-\x7e]{1,512}$/;
const architecturePattern = /^[a-z0-9][a-z0-9-]{0,63}$/;
const sourcePattern = /^([^\s()]{1,255})(?:\s{1,8}\(([^\s()]{1,512})\))?$/;
const statusPattern = /^([a-z-]{1,32}) ([a-z-]{1,32}) ([a-z-]{1,32})$/;

function isStatusDirectoryFile(path: string): boolean {
  return (
    path.startsWith(statusDirectory) &&
    path.length > statusDirectory.length &&
    !path.includes('/', statusDirectory.length) &&
    !path.endsWith('.md5sums')
  );
}

async function* readStatus(file: LayerFile): AsyncGenerator<Claim> {
  const { path } = file;
  const faults = new Faults();
  let packages = 0;
  const takeLine: LineReader = (line, fields) => readLine(line, fields, faults);
  for await (const records of readRecords(file.stream(), maxLineLength, takeLine)) {
    for (const fields of records) {
      const claim = readParagraph(fields, path, faults);
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
  if (line.startsWith(' ') || line.startsWith('\t') || line.startsWith('#')) return;
  const colon = line.indexOf(':');
  if (colon <= 0) {
    faults.note(`expected "Field: value", found ${excerpt(line)}`);
    return;
  }
  const name = line.slice(0, Math.min(colon, 32)).toLowerCase();
  if (usedFields.has(name)) fields.set(name, line.slice(colon + 1).trim());
}

/** The claim of one paragraph; undefined where its package is not there or can't be read. */
function readParagraph(
  fields: ReadonlyMap<string, string>,
  path: string,
  faults: Faults,
): PackageClaim | undefined {
  const name = fields.get('package');
  const status = fields.get('status');
  if (status !== undefined) {
    const state = statusPattern.exec(status)?.[3];
    if (state === undefined)
      faults.note(`package ${excerpt(name)}: expected three words as Status, found ${excerpt(status)}`);
    else if (statesWithoutFiles.has(state)) return undefined;
  }
  const version = fields.get('version');
  if (name === undefined || !namePattern.test(name)) {
    faults.note(`expected a package name, found ${excerpt(name)}`);
    return undefined;
  }
  if (version === undefined || !versionPattern.test(version)) {
    faults.note(`package "${name}": expected a version, found ${excerpt(version)}`);
    return undefined;
  }
  const architecture = fields.get('architecture');
  const hasArchitecture = architecture !== undefined && architecturePattern.test(architecture);
  if (architecture !== undefined && !hasArchitecture) {
    faults.note(`package "${name}": expected an architecture, found ${excerpt(architecture)}`);
  }
  return {
    kind: 'package',
    type: 'deb',
    name,
    version,
    ...(hasArchitecture ? { architecture } : {}),
    source: readSource(fields.get('source'), name, version, faults),
    evidence: 'installed',
    path,
  };
}

/** `name` or `name (version)`, where the source's version differs from the package's. */
function readSource(text: string | undefined, name: string, version: string, faults: Faults): SourcePackage {
  if (text === undefined) return { name, version };
  const found = sourcePattern.exec(text);
  const sourceName = found?.[1];
  if (sourceName === undefined || !namePattern.test(sourceName)) {
    faults.note(`package "${name}": expected Source as "name (version)", found ${excerpt(text)}`);
    return { name, version };
  }
  return { name: sourceName, version: found?.[2] ?? version };
}
