/** What a person would type to get the fixed version. */
import { ecosystemOf } from '../domain/ecosystems.ts';
import type { Package } from '../domain/package.ts';

/**
 * The upgrade command of the package's manager; undefined where there is no fix, or where name or version hold anything
 * that a shell or an option parser could take for more: both come from images and feeds, and people paste the command.
 */
export function remediationOf(pkg: Package, fixedVersion: string | undefined): string | undefined {
  if (fixedVersion === undefined || !isPlain(pkg.name) || !isPlain(fixedVersion)) return undefined;
  // The fix names the source's version; a binary package that is numbered otherwise has another one.
  const hasOwnNumbers = pkg.type === 'deb' && pkg.source !== undefined && pkg.source.version !== pkg.version;
  const command = ecosystemOf(pkg.type).upgradeCommand;
  return (hasOwnNumbers ? command.replace('={version}', '') : command).replace(
    /\{(name|version)\}/g,
    (_, part) => (part === 'name' ? pkg.name : fixedVersion),
  );
}

/** Letters, digits and the marks that package names and versions of the formats here use; no leading dash or tilde. */
function isPlain(text: string): boolean {
  return text.length <= 300 && /^[A-Za-z0-9@][A-Za-z0-9@/._+~:-]*$/.test(text);
}
