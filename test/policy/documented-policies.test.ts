import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../shared/policy/default-policy.ts';
import { evaluatePolicy } from '../../shared/policy/evaluate-policy.ts';
import { maxPolicyBytes, parsePolicy } from '../../shared/policy/parse-policy.ts';
import { sampleFinding } from '../support/sample-findings.ts';

const text = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
const examples = [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)].map((match) => match[1] ?? '');

describe('docs/policy.md', () => {
  it('shows the default policy as it is', () => {
    expect(parsePolicy(examples[0] ?? '', 'docs')).toEqual(defaultPolicy);
    expect(text).toContain(`at most ${maxPolicyBytes / 1024} KiB`);
  });

  it('shows a policy of a team that does what the text says', () => {
    const policy = parsePolicy(examples[1] ?? '', 'docs');
    const known = sampleFinding({ aliases: ['CVE-2020-28500'] });
    const oldDistribution = { code: 'DISTRO_WITHOUT_ADVISORIES', detail: 'an old one' } as const;
    expect(evaluatePolicy(policy, [known], []).decision).toBe('pass');
    expect(evaluatePolicy(policy, [sampleFinding()], []).decision).toBe('fail');
    expect(evaluatePolicy(policy, [known], [oldDistribution]).decision).toBe('warn');
    expect(examples).toHaveLength(2);
  });
});
