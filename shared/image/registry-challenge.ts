/** Reads `WWW-Authenticate` (RFC 9110, 11.6.1; distribution's token specification). */

export interface BearerChallenge {
  readonly scheme: 'bearer';
  readonly realm: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  /** As `insufficient_scope`. */
  readonly error: string | undefined;
}

export type Challenge = BearerChallenge | { readonly scheme: 'basic' };

/** Longest header that is read, in characters, and most scopes: both come from the registry. */
export const maxChallengeLength = 8_192;
const maxScopes = 16;

/** The challenge to answer, Bearer before Basic where both are offered; undefined where there is neither. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined || header.length > maxChallengeLength) return undefined;
  const challenges = splitChallenges(header);
  const bearer = challenges.find(({ scheme, params }) => scheme === 'bearer' && params.get('realm'));
  if (bearer !== undefined) {
    return {
      scheme: 'bearer',
      realm: bearer.params.get('realm') ?? '',
      service: bearer.params.get('service'),
      scopes: (bearer.params.get('scope') ?? '')
        .split(' ')
        .filter((scope) => scope !== '')
        .slice(0, maxScopes),
      error: bearer.params.get('error'),
    };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined;
}

/** One pass from left to right: sticky patterns that never go back. */
function splitChallenges(header: string): { scheme: string; params: Map<string, string> }[] {
  const found: { scheme: string; params: Map<string, string> }[] = [];
  const parameter = /[\s,]*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/y;
  const scheme = /[\s,]*([A-Za-z0-9_-]+)(?=[\s,]|$)/y;
  let at = 0;
  while (at < header.length) {
    parameter.lastIndex = at;
    const pair = parameter.exec(header);
    const current = found.at(-1);
    if (pair !== null && current !== undefined) {
      const [, name = '', quoted, plain] = pair;
      const key = name.toLowerCase();
      if (!current.params.has(key))
        current.params.set(key, quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '');
      at = parameter.lastIndex;
      continue;
    }
    scheme.lastIndex = at;
    const next = scheme.exec(header);
    if (next === null) break;
    found.push({ scheme: (next[1] ?? '').toLowerCase(), params: new Map() });
    at = scheme.lastIndex;
  }
  return found;
}
