/** Which changes a subscription is told. */
import { describe, expect, it } from 'vitest';
import {
  type SubscribableChange,
  type Subscription,
  subscriptionWants,
} from '../../shared/domain/subscription.ts';

const place = { registry: 'contoso.azurecr.io', repository: 'team/app' };
const highNew: SubscribableChange = { kind: 'finding.new', severity: 'high' };

describe('subscriptionWants', () => {
  it.each<[string, Partial<Subscription>, SubscribableChange, boolean]>([
    ['everything of its repositories', {}, highNew, true],
    ['nothing of others', { repositories: 'contoso.azurecr.io/other/*' }, highNew, false],
    ['the registry counts, not the repository alone', { repositories: 'team/*' }, highNew, false],
    ['a kind that it named', { kinds: ['decision', 'finding.new'] }, highNew, true],
    ['no kind that it did not name', { kinds: ['decision'] }, highNew, false],
    ['a severity that equals the least', { minSeverity: 'high' }, highNew, true],
    ['a worse severity', { minSeverity: 'low' }, highNew, true],
    ['no lesser severity', { minSeverity: 'critical' }, highNew, false],
    [
      'no unrated finding',
      { minSeverity: 'negligible' },
      { kind: 'finding.new', severity: 'unknown' },
      false,
    ],
    ['a decision whatever the severity', { minSeverity: 'critical' }, { kind: 'decision' }, true],
    [
      'a severity that fell from where it mattered',
      { minSeverity: 'high' },
      { kind: 'finding.severity', severity: 'low', before: 'critical' },
      true,
    ],
    [
      'no severity that mattered neither before nor after',
      { minSeverity: 'high' },
      { kind: 'finding.severity', severity: 'low', before: 'medium' },
      false,
    ],
  ])('tells %s', (_name, part, change, wanted) => {
    expect(subscriptionWants({ repositories: 'contoso.azurecr.io/*', ...part }, place, change)).toBe(wanted);
  });
});
