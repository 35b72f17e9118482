/** Where tags point now, asked of the registry and remembered for seconds: a gate that many ask must not flood it. */
import type { Digest } from '../domain/digest.ts';
import { type RepositoryRef } from '../ports/registry.ts';
import type { ApiContext } from './context.ts';

/** How long an answer counts as "at that moment", in milliseconds. */
const tagCacheMs = 5_000;
/** Most tags that are remembered. */
const maxTags = 1_000;

/** The digest, or undefined where the registry has no such tag. Throws what Registries.resolveTag throws; a failure is
 *  not remembered. */
export async function resolveTagNow(
  context: ApiContext,
  where: RepositoryRef,
  tag: string,
): Promise<Digest | undefined> {
  const { tags } = context.caches;
  const { registries, clock } = context.pipeline.ports;
  const nowMs = clock.now().getTime();
  const key = `${where.registry}/${where.repository}:${tag}`;
  const known = tags.get(key);
  if (known !== undefined && nowMs - known.askedAtMs < tagCacheMs) return known.digest;
  tags.delete(key);
  if (tags.size >= maxTags) tags.clear();
  const asked = { askedAtMs: nowMs, digest: registries.resolveTag(where, tag) };
  tags.set(key, asked);
  try {
    return await asked.digest;
  } catch (error) {
    if (tags.get(key) === asked) tags.delete(key);
    throw error;
  }
}
