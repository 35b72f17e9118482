/** What every step of the pipeline is given: ports, timings, settings and this instance's caches. */
import type { Cataloger } from '../catalogers/contract.ts';
import type { AdvisoryIndex } from '../domain/advisory.ts';
import type { Place } from '../domain/place.ts';
import type { Policy } from '../domain/policy.ts';
import { findRegistry, type RegistrySettings } from '../domain/registry-setting.ts';
import type { Ports } from '../ports/ports.ts';
import type { AdvisoryFeed } from './advisory-feed.ts';
import type { LayerSlots } from './layer-slots.ts';
import type { CachedRevisions } from './revisions.ts';
import type { Timings } from './timings.ts';

export interface PipelineContext {
  readonly ports: Ports;
  readonly timings: Timings;
  readonly registries: RegistrySettings;
  readonly catalogers: readonly Cataloger[];
  /** Version of the program, for reports. */
  readonly toolVersion: string;
  /** A new random id, such as a UUID. */
  readonly newId: () => string;
  /** How many layers this instance reads at once. */
  readonly layerSlots: LayerSlots;
  /** Where advisories are synced from; undefined where this instance syncs none. */
  readonly advisoryFeed: AdvisoryFeed | undefined;
  /** The policy that the settings name; undefined for the default one. */
  readonly policy?: Policy | undefined;
  /** Address of this Plimsoll's API for links in notifications: `https://…/api`; undefined where it is not known. */
  readonly publicUrl: string | undefined;
  readonly caches: PipelineCaches;
}

/** What an instance remembers between messages. Never decides alone: every write is conditional. */
export interface PipelineCaches {
  revisions: CachedRevisions | undefined;
  /** Opened advisory indexes by revision; the newest few. */
  readonly indexes: Map<number, AdvisoryIndex>;
}

export function newCaches(): PipelineCaches {
  return { revisions: undefined, indexes: new Map() };
}

/** The place that a registry host and a repository mean; undefined where the registry is not configured. */
export function placeOf(context: PipelineContext, registry: string, repository: string): Place | undefined {
  const setting = findRegistry(context.registries, registry);
  return setting && { registry: setting.host, repository, environment: setting.environment };
}
