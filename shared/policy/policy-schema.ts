/** The shape of a policy file, as parse-policy reads it and docs/schema/policy.schema.json publishes it. */
import { z } from 'zod';
import { coverageCodes } from '../domain/coverage.ts';
import { severities } from '../domain/severity.ts';

/** Most rules of a policy and most entries of a list in it: every finding is held against each of them. */
export const maxRules = 200;
export const maxListEntries = 500;

/** Longest id or glob, in characters. */
const maxTextLength = 512;

const ruleId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected 1 to 64 of a-z 0-9 . _ -, first a letter or digit')
  .describe('Name of the rule, unique in the policy; reasons of a verdict name it.');
const outcome = z.enum(['fail', 'warn', 'ignore']).describe('What the rule leads to.');
const text = z.string().min(1).max(maxTextLength);

const findingRule = z.strictObject({
  id: ruleId,
  on: z.literal('finding'),
  outcome,
  severities: z
    .array(z.enum(severities))
    .min(1)
    .max(severities.length)
    .optional()
    .describe('Severities that the rule is about; absent: all.'),
  fixable: z
    .boolean()
    .optional()
    .describe('true: only findings that have a fixed version; false: only those that have none.'),
  malicious: z
    .boolean()
    .optional()
    .describe('true: only packages published to do harm; false: only other findings.'),
  ids: z.array(text).min(1).max(maxListEntries).optional().describe('Advisory ids or aliases, exactly.'),
  packages: z
    .array(text)
    .min(1)
    .max(maxListEntries)
    .optional()
    .describe('Globs over whole purls; * stands for any characters: pkg:npm/lodash@*'),
});

const coverageRule = z.strictObject({
  id: ruleId,
  on: z.literal('coverage'),
  outcome,
  codes: z
    .array(z.enum(coverageCodes))
    .min(1)
    .max(coverageCodes.length)
    .optional()
    .describe('Codes that the rule is about (docs/coverage.md); absent: all.'),
});

/** A policy as a file holds it. Unknown keys are refused: a misspelt condition would widen its rule to everything. */
export const policyFileSchema = z.strictObject({
  $schema: z.string().max(maxTextLength).optional().describe('For editors; not used.'),
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^\p{Cc}]*$/u, 'expected no control characters')
    .optional()
    .describe('Name that verdicts carry; the file name where it is absent.'),
  rules: z
    .array(z.discriminatedUnion('on', [findingRule, coverageRule]))
    .max(maxRules)
    .describe(
      'The first rule that fits a finding or a coverage issue decides about it. What no rule fits is a warning.',
    ),
});
