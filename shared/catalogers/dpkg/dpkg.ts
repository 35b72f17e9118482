/** Packages of Debian and its derivatives, from dpkg's status file and distroless' status.d. */
import { readLines } from '../../base/lines.ts';
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
      if (line.trim() !== '') {
        readLine(line, fields, note);
        continue;
      }
      if (fields.size === 0) continue;
      const claim = readParagraph(fields, path, note);
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
  const last = fields.size === 0 ? undefined : readParagraph(fields, path, note);
  if (last !== undefined) yield last;
  if (faults > 0) yield { kind: 'unreadable', path, detail: describeFaults(firstFault, faults) };
}

function readLine(line: string, fields: Map<string, string>, note: (fault: string) => void): void {
  if (line.startsWith(' ') || line.startsWith('\t') || line.startsWith('#')) return;
  const colon = line.indexOf(':');
  if (colon <= 0) {
    note(`expected "Field: value", found "${line.slice(0, 80)}"`);
    return;
  }
  const name = line.slice(0, Math.min(colon, 32)).toLowerCase();
  if (usedFields.has(name)) fields.set(name, line.slice(colon + 1).trim());
}

/** The claim of one paragraph; undefined where its package is not there or can't be read. */
function readParagraph(
  fields: ReadonlyMap<string, string>,
  path: string,
  note: (fault: string) => void,
): PackageClaim | undefined {
  const name = fields.get('package');
  const status = fields.get('status');
  if (status !== undefined) {
    const state = statusPattern.exec(status)?.[3];
    if (state === undefined)
      note(`package "${short(name)}": expected three words as Status, found "${short(status)}"`);
    else if (statesWithoutFiles.has(state)) return undefined;
  }
  const version = fields.get('version');
  if (name === undefined || !namePattern.test(name)) {
    note(`expected a package name, found "${short(name)}"`);
    return undefined;
  }
  if (version === undefined || !versionPattern.test(version)) {
    note(`package "${name}": expected a version, found "${short(version)}"`);
    return undefined;
  }
  const architecture = fields.get('architecture');
  const hasArchitecture = architecture !== undefined && architecturePattern.test(architecture);
  if (architecture !== undefined && !hasArchitecture) {
    note(`package "${name}": expected an architecture, found "${short(architecture)}"`);
  }
  return {
    kind: 'package',
    type: 'deb',
    name,
    version,
    ...(hasArchitecture ? { architecture } : {}),
    source: readSource(fields.get('source'), name, version, note),
    evidence: 'installed',
    path,
  };
}

/** `name` or `name (version)`, where the source's version differs from the package's. */
function readSource(
  text: string | undefined,
  name: string,
  version: string,
  note: (fault: string) => void,
): SourcePackage {
  if (text === undefined) return { name, version };
  const found = sourcePattern.exec(text);
  const sourceName = found?.[1];
  if (sourceName === undefined || !namePattern.test(sourceName)) {
    note(`package "${name}": expected Source as "name (version)", found "${short(text)}"`);
    return { name, version };
  }
  return { name: sourceName, version: found?.[2] ?? version };
}

function describeFaults(first: string, count: number): string {
  return count === 1 ? first : `${first} (and ${count - 1} more faults in this file)`;
}

function short(text: string | undefined): string {
  return text === undefined ? 'nothing' : text.slice(0, 80);
}
