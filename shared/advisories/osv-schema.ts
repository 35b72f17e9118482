/** The part of an OSV record that is used (OSV schema 1.x), bounded: records come from outside. */
import { z } from 'zod';

/** Longest id, ecosystem or package name; real ones stay under 200. */
const maxNameLength = 512;
/** Longest version string; real ones stay under 100. */
const maxVersionLength = 256;
/** Most names of one vulnerability; kernel updates of distributions name some 1,500 CVEs. */
const maxNames = 10_000;
/** Most affected packages of one record; an update of all of LibreOffice in several releases has some 1,000. */
const maxAffected = 20_000;
/** Most versions of one affected package; busy npm packages have some 5,000. */
const maxVersions = 50_000;
/** Most events of one range; real ones stay under 100. */
const maxEvents = 2_000;

const name = z.string().min(1).max(maxNameLength);
const version = z.string().min(1).max(maxVersionLength);

const severity = z
  .array(z.object({ type: z.string().max(100), score: z.string().max(1_000) }))
  .max(100)
  .nullish();

/** A word where the publisher keeps free form: anything that is no short text counts as absent. */
const word = z.string().max(100).optional().catch(undefined);

const event = z
  .object({ introduced: version, fixed: version, last_affected: version, limit: version })
  .partial()
  .refine(
    (one) => Object.keys(one).length > 0,
    'an event with none of introduced, fixed, last_affected, limit',
  );

const range = z.object({
  type: z.string().max(100),
  events: z.array(event).max(maxEvents),
});

const affected = z.object({
  package: z.object({ ecosystem: name, name }).nullish(),
  ranges: z.array(range).max(1_000).nullish(),
  versions: z.array(version).max(maxVersions).nullish(),
  severity,
  ecosystem_specific: z
    .object({
      urgency: word,
      severity: word,
      ubuntu_priority: word,
      custom_ranges: z.array(range).max(1_000).optional().catch(undefined),
    })
    .nullish()
    .catch(undefined),
  database_specific: z
    .object({ last_known_affected_version_range: word, informational: word })
    .nullish()
    .catch(undefined),
});

export const osvRecordSchema = z.object({
  id: name,
  modified: z.string().max(100),
  withdrawn: z.string().max(100).nullish(),
  aliases: z.array(name).max(maxNames).nullish(),
  upstream: z.array(name).max(maxNames).nullish(),
  related: z.array(name).max(maxNames).nullish(),
  summary: z.string().max(100_000).nullish().catch(undefined),
  severity,
  affected: z.array(affected).max(maxAffected).nullish(),
  database_specific: z.object({ severity: word }).nullish().catch(undefined),
});

export type OsvRecord = z.infer<typeof osvRecordSchema>;
export type OsvAffected = z.infer<typeof affected>;
export type OsvRange = z.infer<typeof range>;
