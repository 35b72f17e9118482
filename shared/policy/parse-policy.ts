/** Reads a policy file, JSON or YAML, and says where it is wrong. */
import { type Document, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { PlimsollError } from '../domain/errors.ts';
import type { Policy, PolicyRule } from '../domain/policy.ts';
import { unmatchedRule } from './evaluate-policy.ts';
import { policyFileSchema } from './policy-schema.ts';

/** Most bytes of a policy file: room for 200 rules of 300 characters, and half a second of parsing at most for a text
 *  that is made to be slow. */
export const maxPolicyBytes = 64 * 1024;

/** Most uses of YAML aliases, counted with those that they repeat: few lines must not unfold to millions. */
const maxAliasCount = 50;

/**
 * The policy in the text. `name` is what the text is called (`policy.yaml`): messages start with it, and a policy
 * without a name of its own takes it.
 * Throws INVALID_POLICY naming line, field, what was expected and what was found.
 */
export function parsePolicy(text: string, name: string): Policy {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPolicyBytes) {
    throw new PlimsollError(
      'INVALID_POLICY',
      `${name}: expected a policy of at most ${maxPolicyBytes} bytes, found ${bytes}`,
    );
  }
  const source = readSource(text.startsWith('\uFEFF') ? text.slice(1) : text, name);
  const parsed = policyFileSchema.safeParse(source.value, { reportInput: true });
  if (!parsed.success) throw schemaError(parsed.error, source, name);
  const rules = parsed.data.rules.map(toRule);
  requireDistinctIds(rules, source, name);
  return { name: parsed.data.name ?? name, rules };
}

type FileRule = z.infer<typeof policyFileSchema>['rules'][number];

/** A policy text, read but not yet held against the schema. */
interface Source {
  readonly value: unknown;
  readonly document: Document;
  readonly lines: LineCounter;
}

function readSource(text: string, name: string): Source {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'error',
      resolveKnownTags: false,
      // The library compares each key of a map with all others of it, which takes seconds for thousands of keys.
      uniqueKeys: false,
    });
    const broken = document.errors[0];
    const offset = broken?.pos[0] ?? repeatedKeyOffset(document);
    if (offset !== undefined) {
      const { line } = lines.linePos(offset);
      throw new PlimsollError(
        'INVALID_POLICY',
        `${name} line ${line}: expected JSON or YAML, found: ${broken?.message ?? 'a key for the second time in its map'}`,
        { cause: broken },
      );
    }
    return { value: document.toJS({ maxAliasCount }), document, lines };
  } catch (error) {
    // The parser walks nested lists by recursion (RangeError) and refuses aliases that unfold too far (ReferenceError).
    if (!(error instanceof RangeError || error instanceof ReferenceError)) throw error;
    throw new PlimsollError(
      'INVALID_POLICY',
      `${name}: expected few levels of lists and at most ${maxAliasCount} uses of aliases, found more; write the rules out`,
      { cause: error },
    );
  }
}

/** Where the first key stands that its map has already, else undefined: which of the two counts would be a guess. */
function repeatedKeyOffset(document: Document): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          offset = key.range?.[0] ?? 0;
          return visit.BREAK;
        }
        seen.add(key.value);
      }
      return undefined;
    },
  });
  return offset;
}

function schemaError(error: z.ZodError, source: Source, name: string): PlimsollError {
  const issue = error.issues[0];
  const path = (issue?.path ?? []).filter((part): part is string | number => typeof part !== 'symbol');
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const at = unknownKey === undefined ? path : [...path, unknownKey];
  const what =
    unknownKey === undefined
      ? `${expectation(issue)}, found ${found(source.value, path)}`
      : 'expected no such key; see docs/schema/policy.schema.json';
  return new PlimsollError('INVALID_POLICY', `${name}${place(source, at)}: ${what}`, { cause: error });
}

function expectation(issue: z.core.$ZodIssue | undefined): string {
  switch (issue?.code) {
    case 'invalid_type':
      return `expected ${issue.expected}`;
    case 'invalid_value':
      return `expected one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return 'expected "finding" or "coverage"';
    case 'too_big':
      return `expected at most ${issue.maximum}${issue.origin === 'array' ? ' entries' : ' characters'}`;
    case 'too_small':
      return `expected at least ${issue.minimum}${issue.origin === 'array' ? ' entries' : ' characters'}`;
    default:
      return issue?.message ?? 'expected a policy';
  }
}

function found(value: unknown, path: readonly (string | number)[]): string {
  let at = value;
  for (const part of path) {
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? Reflect.get(at, part) : undefined;
  }
  if (at === undefined) return 'nothing';
  if (Array.isArray(at)) return `a list of ${at.length}`;
  if (typeof at === 'object' && at !== null) return 'a map';
  return JSON.stringify(at).slice(0, 100);
}

/** ` line 4, rules[1].severities[0]`: the line of the field itself or of the nearest one around it. */
function place(source: Source, path: readonly (string | number)[]): string {
  const field = path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('')
    .slice(0, 200);
  for (let length = path.length; length >= 0; length--) {
    const head = path.slice(0, length);
    const node: unknown = length === 0 ? source.document.contents : source.document.getIn(head, true);
    const offset = isNode(node) ? node.range?.[0] : undefined;
    if (offset !== undefined) {
      return ` line ${source.lines.linePos(offset).line}${field === '' ? '' : `, ${field}`}`;
    }
  }
  return field === '' ? '' : `, ${field}`;
}

function requireDistinctIds(rules: readonly PolicyRule[], source: Source, name: string): void {
  const seen = new Set<string>([unmatchedRule]);
  for (const [index, rule] of rules.entries()) {
    if (seen.has(rule.id)) {
      const why = rule.id === unmatchedRule ? 'another id: this one is reserved' : 'an id of its own';
      throw new PlimsollError(
        'INVALID_POLICY',
        `${name}${place(source, ['rules', index, 'id'])}: expected ${why}, found "${rule.id}"${rule.id === unmatchedRule ? '' : ' a second time'}`,
      );
    }
    seen.add(rule.id);
  }
}

/** Leaves out what the file leaves out: an absent condition is no condition. */
function toRule(rule: FileRule): PolicyRule {
  const { id, outcome } = rule;
  if (rule.on === 'coverage') {
    return { id, on: rule.on, outcome, ...(rule.codes === undefined ? {} : { codes: rule.codes }) };
  }
  return {
    id,
    on: rule.on,
    outcome,
    ...(rule.severities === undefined ? {} : { severities: rule.severities }),
    ...(rule.fixable === undefined ? {} : { fixable: rule.fixable }),
    ...(rule.malicious === undefined ? {} : { malicious: rule.malicious }),
    ...(rule.ids === undefined ? {} : { ids: rule.ids }),
    ...(rule.packages === undefined ? {} : { packages: rule.packages }),
  };
}
