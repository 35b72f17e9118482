import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { defaultPolicy } from '../../shared/policy/default-policy.ts';
import { maxPolicyBytes, parsePolicy } from '../../shared/policy/parse-policy.ts';
import { policyRevisionOf } from '../../shared/policy/policy-revision.ts';

/** Most processor time that a hostile text may take, in milliseconds, so that nothing else on the machine counts: it is
 *  some 300 ms, or 1,500 while coverage is measured. A reader that compared all keys of a map took 16,000. */
const maxParseMs = 5_000;

describe('a policy file', () => {
  it('may be YAML', () => {
    const text = [
      '# for the shop team',
      'name: shop',
      'rules:',
      '  - { id: known, on: finding, outcome: ignore, ids: [CVE-2020-0001], packages: ["pkg:npm/lodash@*"] }',
      '  - id: worst',
      '    on: finding',
      '    outcome: fail',
      '    severities: [critical]',
      '    fixable: true',
      '  - id: blind',
      '    on: coverage',
      '    outcome: fail',
      '    codes:',
      '      - UNREADABLE_FILE',
    ].join('\n');
    expect(parsePolicy(text, 'policy.yaml')).toEqual({
      name: 'shop',
      rules: [
        {
          id: 'known',
          on: 'finding',
          outcome: 'ignore',
          ids: ['CVE-2020-0001'],
          packages: ['pkg:npm/lodash@*'],
        },
        { id: 'worst', on: 'finding', outcome: 'fail', severities: ['critical'], fixable: true },
        { id: 'blind', on: 'coverage', outcome: 'fail', codes: ['UNREADABLE_FILE'] },
      ],
    });
  });

  it('may be JSON, indented by tabs and with a byte order mark', () => {
    const text = `\uFEFF${JSON.stringify({ $schema: 'policy.schema.json', ...defaultPolicy }, null, '\t')}`;
    expect(parsePolicy(text, 'policy.json')).toEqual(defaultPolicy);
  });

  it('without a name is called after the text', () => {
    expect(parsePolicy('rules: []', 'policy.yaml')).toEqual({ name: 'policy.yaml', rules: [] });
  });

  it('may use few aliases', () => {
    const text =
      'rules:\n  - { id: a, on: finding, outcome: fail, ids: &ids [X] }\n  - { id: b, on: finding, outcome: warn, ids: *ids }';
    expect(parsePolicy(text, 'p')?.rules[1]).toEqual({ id: 'b', on: 'finding', outcome: 'warn', ids: ['X'] });
  });

  it.each([
    [
      'a misspelt condition',
      'rules:\n - id: a\n   on: finding\n   outcome: fail\n   severites: [high]',
      'p.yaml line 5, rules[0].severites: expected no such key',
    ],
    [
      'an unknown severity',
      'rules:\n - id: a\n   on: finding\n   outcome: fail\n   severities:\n    - hi',
      'p.yaml line 6, rules[0].severities[0]: expected one of critical, high, medium, low, negligible, unknown, found "hi"',
    ],
    [
      'an unknown subject',
      'rules:\n - id: a\n   on: fnding\n   outcome: fail',
      'p.yaml line 3, rules[0].on: expected "finding" or "coverage", found "fnding"',
    ],
    [
      'a missing outcome',
      'rules:\n - id: a\n   on: finding',
      'rules[0].outcome: expected one of fail, warn, ignore, found nothing',
    ],
    [
      'a condition of findings about coverage',
      'rules:\n - id: a\n   on: coverage\n   outcome: fail\n   fixable: true',
      'line 5, rules[0].fixable: expected no such key',
    ],
    [
      'an id twice',
      'rules:\n - {id: a, on: finding, outcome: fail}\n - {id: a, on: coverage, outcome: fail}',
      'line 3, rules[1].id: expected an id of its own, found "a" a second time',
    ],
    [
      'the reserved id',
      'rules:\n - {id: no-rule, on: finding, outcome: fail}',
      'expected another id: this one is reserved',
    ],
    [
      'an id with spaces',
      'rules:\n - {id: "a b", on: finding, outcome: fail}',
      'line 2, rules[0].id: expected 1 to 64 of',
    ],
    [
      'an empty list, which would fit nothing',
      'rules:\n - {id: a, on: finding, outcome: fail, ids: []}',
      'rules[0].ids: expected at least 1 entries, found a list of 0',
    ],
    ['a text instead of a list', 'rules: all', 'line 1, rules: expected array, found "all"'],
    ['no rules', 'name: x', 'rules: expected array, found nothing'],
    ['nothing', '', 'expected object, found null'],
    ['a list', '[]', 'expected object, found a list of 0'],
    ['broken JSON', '{"name": "x"\n "rules": []}', 'p.yaml line 2: expected JSON or YAML'],
    ['broken YAML', 'rules:\n  - id: a\n on: x', 'p.yaml line 3: expected JSON or YAML'],
    [
      'a key twice',
      'rules: []\nrules: []',
      'p.yaml line 2: expected JSON or YAML, found: a key for the second time in its map',
    ],
    [
      'a key twice in a rule, in quotes the second time',
      'rules:\n - id: a\n   on: finding\n   outcome: fail\n   "outcome": ignore',
      'p.yaml line 5: expected JSON or YAML, found: a key for the second time in its map',
    ],
    [
      'a key twice in JSON',
      '{"rules": [],\n"rules": []}',
      'p.yaml line 2: expected JSON or YAML, found: a key',
    ],
    ['two documents', 'rules: []\n---\nrules: []', 'p.yaml line 2: expected JSON or YAML'],
    [
      'a prototype as a key',
      '{"rules": [{"id": "a", "on": "finding", "outcome": "fail", "__proto__": {"malicious": true}}]}',
      'rules[0].__proto__: expected no such key',
    ],
    [
      'more rules than are evaluated',
      `rules:\n${Array.from({ length: 201 }, (_, i) => ` - {id: r${i}, on: finding, outcome: warn}`).join('\n')}`,
      'rules: expected at most 200 entries, found a list of 201',
    ],
  ])('with %s is refused, saying where and why', (_, text, message) => {
    expect(refusal(text)).toContain(message);
  });

  it.each([
    ['a large text', ' '.repeat(maxPolicyBytes + 1)],
    ['nested flow lists', '['.repeat(maxPolicyBytes)],
    ['nested block lists', '- '.repeat(maxPolicyBytes / 2)],
    ['nested keys', '? '.repeat(maxPolicyBytes / 2)],
    ['nested maps', '{a: '.repeat(maxPolicyBytes / 4)],
    ['an alias of itself', 'rules: &a [*a]'],
    [
      'aliases that double',
      `a: &a0 [x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &a${i + 1} [*a${i}, *a${i}]`).join('\n')}`,
    ],
    ['many quotes', '"'.repeat(maxPolicyBytes)],
    ['many tags', '! '.repeat(maxPolicyBytes / 2)],
    ['many keys', Array.from({ length: 7_000 }, (_, i) => `k${i}: 1\n`).join('')],
  ])('made to exhaust its reader by %s is refused in time', (_, text) => {
    const before = process.threadCpuUsage();
    refusal(text);
    const used = process.threadCpuUsage(before);
    expect((used.user + used.system) / 1_000).toBeLessThan(maxParseMs);
  });

  it('of any text is read or refused with INVALID_POLICY, nothing else', () => {
    const piece = fc.constantFrom(
      'rules',
      ':',
      ' ',
      '\n',
      '-',
      '{',
      '}',
      '[',
      ']',
      '&a',
      '*a',
      '"',
      "'",
      '|',
      '#',
      'id',
      '!',
      '%',
      '\t',
      'x',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            parsePolicy(text, 'p');
          } catch (error) {
            expect(error).toBeInstanceOf(PlimsollError);
            expect(error).toHaveProperty('code', 'INVALID_POLICY');
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the content hash of a policy', () => {
  const rule = '"id": "a", "on": "finding", "outcome": "fail"';

  it('does not depend on the order of keys or on the notation', () => {
    const json = parsePolicy(`{"name": "x", "rules": [{"fixable": true, ${rule}}]}`, 'p');
    const yaml = parsePolicy(
      `rules:\n- outcome: fail\n  id: a\n  on: finding\n  fixable: true\nname: x`,
      'p',
    );
    expect(policyRevisionOf(json, 3).contentHash).toBe(policyRevisionOf(yaml, 4).contentHash);
    expect(policyRevisionOf(json, 3).revision).toBe(3);
  });

  it.each([
    ['a condition', `{"name": "x", "rules": [{${rule}, "fixable": false}]}`],
    ['the name', `{"name": "y", "rules": [{${rule}}]}`],
    ['the outcome', `{"name": "x", "rules": [{"id": "a", "on": "finding", "outcome": "warn"}]}`],
    ['a list', `{"name": "x", "rules": [{${rule}, "ids": ["X"]}]}`],
    ['which list', `{"name": "x", "rules": [{${rule}, "packages": ["X"]}]}`],
  ])('changes with %s', (_, text) => {
    const base = policyRevisionOf(parsePolicy(`{"name": "x", "rules": [{${rule}}]}`, 'p'), 1);
    expect(policyRevisionOf(parsePolicy(text, 'p'), 1).contentHash).not.toBe(base.contentHash);
  });
});

/** The message of the refusal; fails where the text is read. */
function refusal(text: string): string {
  try {
    parsePolicy(text, 'p.yaml');
  } catch (error) {
    if (error instanceof PlimsollError && error.code === 'INVALID_POLICY') return error.message;
    throw error;
  }
  throw new Error('expected INVALID_POLICY, and the policy was read');
}
