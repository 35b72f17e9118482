/** The distribution of an image, from os-release(5) and the older files of Debian and Alpine. */
import { excerpt } from '../../base/faults.ts';
import { type Claim, type Distro, distroPaths } from '../../domain/package.ts';
import type { Cataloger, LayerFile } from '../contract.ts';

/** Real files have 1 KB. */
const maxFileBytes = 64 * 1024;
const maxValueLength = 256;

/** Claims a distro per file. `etc/debian_version` (`12.5`, `trixie/sid`) and `etc/alpine-release` (`3.10.2`) give the id
 *  and the version or codename alone; derivatives write other texts there, which claim nothing. An os-release that names
 *  no distribution is unreadable, an empty one claims nothing. */
export const osReleaseCataloger: Cataloger = {
  name: 'os-release',
  version: 1,
  maxFileBytes,
  wants(path) {
    return paths.has(path) ? path : undefined;
  },
  async *catalog(files) {
    for (const file of files) {
      const claim = await readFile(file);
      if (claim !== undefined) yield claim;
    }
  },
};

const paths: ReadonlySet<string> = new Set(distroPaths);

const idPattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const assignmentPattern = /^([A-Z][A-Z0-9_]{0,63})=(.*)$/;
const datePattern = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const releasePattern = /^[0-9][0-9A-Za-z._-]{0,63}$/;
const debianVersionPattern = /^([0-9]{1,4})(?:\.[0-9.]{1,16})?$/;
const debianCodenamePattern = /^([a-z]{1,32})\/sid$/;

async function readFile(file: LayerFile): Promise<Claim | undefined> {
  const { path } = file;
  const text = new TextDecoder().decode(await file.bytes(maxFileBytes)).trim();
  const isOsRelease = path.endsWith('os-release');
  const distro = isOsRelease
    ? readOsRelease(text)
    : path === 'etc/debian_version'
      ? readDebianVersion(text)
      : readAlpineRelease(text);
  if (distro !== undefined) return { kind: 'distro', path, distro };
  if (!isOsRelease || text === '') return undefined;
  const detail = `expected ID= and the name of a distribution, found ${excerpt(text)}`;
  return { kind: 'unreadable', path, detail };
}

function readDebianVersion(text: string): Distro | undefined {
  const versionId = debianVersionPattern.exec(text)?.[1];
  if (versionId !== undefined) return { id: 'debian', versionId };
  const codename = debianCodenamePattern.exec(text)?.[1];
  return codename === undefined ? undefined : { id: 'debian', codename };
}

function readAlpineRelease(text: string): Distro | undefined {
  return releasePattern.test(text) ? { id: 'alpine', versionId: text } : undefined;
}

/** A later assignment of the same variable wins, as in a shell. */
function readOsRelease(text: string): Distro | undefined {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name = '', rest = ''] = assignmentPattern.exec(line.trim()) ?? [];
    if (name !== '')
      values.set(
        name,
        unquote(rest)
          .replaceAll(/\p{Cc}/gu, '')
          .slice(0, maxValueLength),
      );
  }
  const id = (values.get('ID') ?? '').toLowerCase();
  if (!idPattern.test(id)) return undefined;
  const versionId = values.get('VERSION_ID');
  const codename = values.get('VERSION_CODENAME');
  const prettyName = values.get('PRETTY_NAME');
  const idLike = (values.get('ID_LIKE') ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter((name) => idPattern.test(name));
  const supportEnd = values.get('SUPPORT_END') ?? '';
  return {
    id,
    ...(versionId ? { versionId } : {}),
    ...(codename ? { codename } : {}),
    ...(prettyName ? { prettyName } : {}),
    ...(idLike.length === 0 ? {} : { idLike }),
    ...(datePattern.test(supportEnd) ? { supportEnd } : {}),
  };
}

/** The value as a shell reads it: double quotes with backslash before `"`, `$`, backslash and backquote, single quotes
 *  without escapes, else backslash escapes; an unquoted blank ends it. Nothing is expanded. */
function unquote(text: string): string {
  let value = '';
  let quote = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (quote === '' && /\s/.test(character)) break;
    else if (character === '\\' && quote !== "'") {
      const next = text.charAt(index + 1);
      const isEscape = quote === '' || '"$\\`'.includes(next);
      value += isEscape ? next : `\\${next}`;
      index += 1;
    } else value += character;
  }
  return value;
}
