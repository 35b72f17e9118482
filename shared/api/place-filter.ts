/** `?repository=`, `environment=` and `platform=`: which of the places and platforms of a digest are meant. */
import { PlimsollError } from '../domain/errors.ts';
import { type Place, repositoryKey } from '../domain/place.ts';
import { type Platform, parsePlatform } from '../domain/platform.ts';
import type { ApiRequest } from './http.ts';

export interface PlaceFilter {
  /** `registry/repository`, or the repository alone. */
  readonly repository?: string;
  readonly environment?: string;
  readonly platform?: Platform;
}

/** Longest value of a filter in characters. */
const maxFilterLength = 600;

/** Throws INVALID_INPUT where the platform is not written os/architecture[/variant]. */
export function readPlaceFilter(request: Pick<ApiRequest, 'query'>): PlaceFilter {
  const { repository, environment, platform: platformText } = request.query;
  for (const [name, value] of Object.entries({ repository, environment, platform: platformText })) {
    if (value !== undefined && value.length > maxFilterLength) {
      throw new PlimsollError('INVALID_INPUT', `${name}: expected at most ${maxFilterLength} characters`);
    }
  }
  const platform = platformText === undefined ? undefined : parsePlatform(platformText);
  if (platformText !== undefined && platform === undefined) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `platform: expected os/architecture[/variant] such as linux/amd64, found "${platformText.slice(0, 100)}"`,
    );
  }
  return {
    ...(repository === undefined ? {} : { repository }),
    ...(environment === undefined ? {} : { environment }),
    ...(platform === undefined ? {} : { platform }),
  };
}

/** Whether the place is one that the filter means. */
export function filterMatches(filter: PlaceFilter, place: Place): boolean {
  const { repository, environment } = filter;
  if (environment !== undefined && environment !== place.environment) return false;
  return repository === undefined || repository === place.repository || repository === repositoryKey(place);
}
