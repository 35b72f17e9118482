/** References to images: `registry/repository[:tag][@digest]` (distribution-spec, "Pulling manifests"). */
import { type Digest, parseDigest } from './digest.ts';
import { PlimsollError } from './errors.ts';

export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** Longest repository with its host, in characters (distribution-spec). */
export const maxNameLength = 255;

const repositoryPattern =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const registryPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,252}[a-zA-Z0-9])?|\[[0-9a-fA-F:]{2,45}\])(?::[0-9]{1,5})?$/;

export function isRepository(text: string): boolean {
  return text.length <= maxNameLength && repositoryPattern.test(text);
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

export function isRegistryHost(text: string): boolean {
  return text.length <= maxNameLength && registryPattern.test(text);
}

/** Reads a full reference; the registry must be named. Without tag and digest the tag is `latest`.
 *  Throws INVALID_REFERENCE. */
export function parseReference(text: string): Reference {
  const slash = text.indexOf('/');
  const registry = slash < 0 ? '' : text.slice(0, slash);
  const named = registry.includes('.') || registry.includes(':') || registry === 'localhost';
  if (!named || !isRegistryHost(registry)) throw invalid(text, 'a registry host before the first slash');
  const [name = '', digestText, ...more] = text.slice(slash + 1).split('@');
  if (more.length > 0) throw invalid(text, 'at most one @');
  const colon = name.lastIndexOf(':');
  const repository = colon < 0 ? name : name.slice(0, colon);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  if (!isRepository(repository)) throw invalid(text, 'a repository of lower-case path components');
  if (tag !== undefined && !isTag(tag))
    throw invalid(text, 'a tag of at most 128 word characters, dots and dashes');
  const digest = digestText === undefined ? undefined : parseDigest(digestText);
  if (digestText !== undefined && digest === undefined) throw invalid(text, 'a sha256 digest after @');
  return {
    registry: registry.toLowerCase(),
    repository,
    ...(tag !== undefined ? { tag } : digest === undefined ? { tag: 'latest' } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The reference as text, as parseReference reads it. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

function invalid(text: string, expected: string): PlimsollError {
  return new PlimsollError(
    'INVALID_REFERENCE',
    `"${text.slice(0, 300)}" is no image reference: expected ${expected}, as in registry.example.com/team/app:v1`,
  );
}
