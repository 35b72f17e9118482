/** Routes of HTTP functions as the Functions host matches them: first match by name, letter case ignored. */

/** A parsed route template; matching one path is linear in its segments. */
export interface Route {
  /** As written, without outer slashes. */
  readonly template: string;
  /** Upper case. */
  readonly methods: readonly string[];
  readonly segments: readonly Segment[];
}

export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'rest'; readonly name: string };

/**
 * Parses `images/{digest}/report`, `files/{*path}`. Throws a plain Error with the reason where the template holds
 * something that this runner does not know (constraints, optional parameters, a parameter inside a segment).
 */
export function parseRoute(prefix: string, template: string, methods: readonly string[]): Route {
  const whole = [prefix, template]
    .map((part) => part.replace(/^\/+|\/+$/g, ''))
    .filter((part) => part !== '');
  const texts = whole.join('/').split('/');
  const segments = texts.map((text, index): Segment => {
    const name = /^\{(\*?)([A-Za-z_]\w*)\}$/.exec(text);
    if (name === null && /[{}]/.test(text)) {
      throw new Error(`expected a literal, {name} or {*name} in the route ${template}, found ${text}`);
    }
    if (name?.[1] === '*' && index !== texts.length - 1) {
      throw new Error(`expected {*name} at the end of the route ${template}, found ${text} before it`);
    }
    if (name === null) {
      return { kind: 'literal', text: text.toLowerCase() };
    }
    return { kind: name[1] === '*' ? 'rest' : 'parameter', name: name[2] ?? '' };
  });
  return { template: whole.join('/'), methods: methods.map((method) => method.toUpperCase()), segments };
}

/**
 * The parameters of a raw path (with its percent escapes, without query) where route and method match, else undefined.
 * `%2F` stays encoded in a parameter, so that it is never taken for a separator.
 */
export function matchRoute(
  route: Route,
  method: string,
  rawPath: string,
): Readonly<Record<string, string>> | undefined {
  if (!route.methods.includes(method)) {
    return undefined;
  }
  const parts = rawPath.replace(/^\/+/, '').replace(/\/$/, '').split('/');
  const parameters: Record<string, string> = {};
  for (const [index, segment] of route.segments.entries()) {
    if (segment.kind === 'rest') {
      parameters[segment.name] = parts.slice(index).map(decodeSegment).join('/');
      return parameters;
    }
    const part = parts[index];
    if (part === undefined || part === '') {
      return undefined;
    }
    const decoded = decodeSegment(part);
    if (segment.kind === 'parameter') {
      parameters[segment.name] = decoded;
    } else if (decoded.toLowerCase() !== segment.text) {
      return undefined;
    }
  }
  return parts.length === route.segments.length ? parameters : undefined;
}

/** True where two routes answer the same requests: the host refuses the later one. */
export function routesConflict(a: Route, b: Route): boolean {
  return (
    a.template.toLowerCase() === b.template.toLowerCase() &&
    a.methods.some((method) => b.methods.includes(method))
  );
}

function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text.replace(/%2f/gi, (escape) => `%25${escape.slice(1)}`));
  } catch (error) {
    if (error instanceof URIError) {
      return text;
    }
    throw error;
  }
}
