/** A policy together with what a verdict names of it. */
import { digestOf } from '../domain/digest.ts';
import type { Policy, PolicyRevision, PolicyRule } from '../domain/policy.ts';

/** The policy under this revision number. The content hash depends on what the policy says, not on the order of keys
 *  in the text that it came from. */
export function policyRevisionOf(policy: Policy, revision: number): PolicyRevision {
  return { policy, revision, contentHash: digestOf(canonicalPolicy(policy)) };
}

function canonicalPolicy(policy: Policy): string {
  return JSON.stringify([policy.name, policy.rules.map(canonicalRule)]);
}

function canonicalRule(rule: PolicyRule): readonly unknown[] {
  // JSON has no undefined: null stands for an absent condition, which no condition can be.
  return rule.on === 'finding'
    ? [
        rule.id,
        rule.on,
        rule.outcome,
        rule.severities ?? null,
        rule.fixable ?? null,
        rule.malicious ?? null,
        rule.ids ?? null,
        rule.packages ?? null,
      ]
    : [rule.id, rule.on, rule.outcome, rule.codes ?? null];
}
