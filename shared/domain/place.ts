/** Where an image stands: a verdict belongs to a digest at a place, because policies and teams do. */
import { createHash } from 'node:crypto';

export interface Place {
  /** Canonical host of the registry, with its port if it has one: `contoso.azurecr.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  /** Repository without host: `team/app`. */
  readonly repository: string;
  /** Name of the environment that the registry belongs to: `production`. */
  readonly environment: string;
}

/** `registry/repository`: the partition of everything that belongs to a repository. */
export function repositoryKey(place: Pick<Place, 'registry' | 'repository'>): string {
  return `${place.registry}/${place.repository}`;
}

/** 32 hex digits that name the place; safe in document ids and blob names. */
export function placeKey(place: Place): string {
  return createHash('sha256')
    .update(JSON.stringify([place.registry, place.repository, place.environment]))
    .digest('hex')
    .slice(0, 32);
}
