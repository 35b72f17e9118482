/** Subscriptions: which team is told of which changes, and where. */
import { globMatches } from '../base/glob.ts';
import type { ChangeKind } from './change.ts';
import { type Place, repositoryKey } from './place.ts';
import { type Severity, severities, severityRank } from './severity.ts';

/** Names of signing secrets start so: a subscription can make Plimsoll use no other secret. */
export const subscriptionSecretPrefix = 'subscription-';

/** One team's wish to be told. Immutable once made: to change it, delete it and make another. */
export interface Subscription {
  readonly id: string;
  readonly name: string;
  /** Glob over `registry/repository`, `*` for any characters: `contoso.azurecr.io/team/*`. */
  readonly repositories: string;
  /** Absent: every kind. */
  readonly kinds?: readonly ChangeKind[];
  /** Least severity; changes that have no severity (decision, coverage) are told whatever it is. */
  readonly minSeverity?: Severity;
  /** Where notifications go: https on a public address. */
  readonly url: string;
  /** Name of the secret that signs; starts with subscriptionSecretPrefix. */
  readonly secretName: string;
  /** Id of the caller who made it. */
  readonly createdBy: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** What a subscription looks at of a change. */
export interface SubscribableChange {
  readonly kind: ChangeKind;
  readonly severity?: Severity;
  /** Of `finding.severity`: the severity that it had. */
  readonly before?: string;
}

/**
 * Whether the subscription is to be told of this change at this place. A changed severity counts if either the old or
 * the new one is severe enough, so that a team hears that what it worried about is no longer so. `unknown` is below
 * every rated severity.
 */
export function subscriptionWants(
  subscription: Pick<Subscription, 'repositories' | 'kinds' | 'minSeverity'>,
  place: Pick<Place, 'registry' | 'repository'>,
  change: SubscribableChange,
): boolean {
  if (!globMatches(subscription.repositories, repositoryKey(place))) return false;
  if (subscription.kinds !== undefined && !subscription.kinds.includes(change.kind)) return false;
  if (subscription.minSeverity === undefined || change.severity === undefined) return true;
  const least = severityRank(subscription.minSeverity);
  if (severityRank(change.severity) >= least) return true;
  return change.kind === 'finding.severity' && severityRank(severityNamed(change.before)) >= least;
}

function severityNamed(text: string | undefined): Severity {
  return severities.find((severity) => severity === text) ?? 'unknown';
}
