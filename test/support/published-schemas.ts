/** The JSON Schemas that docs/schema publishes, made from the schemas that the code parses with. */
import { z } from 'zod';
import { policyFileSchema } from '../../shared/policy/policy-schema.ts';
import { reportSchema } from '../../shared/reports/report-schema.ts';

/** File name in docs/schema and the JSON Schema (draft 2020-12) that stands there, as text with a line end. */
export function publishedSchemas(): ReadonlyMap<string, string> {
  return new Map([
    ['policy.schema.json', render('Plimsoll policy', policyFileSchema)],
    ['report.schema.json', render('Plimsoll report', reportSchema)],
  ]);
}

function render(title: string, schema: z.ZodType): string {
  // `input`: what a reader may meet, so that keys of later versions are no mistake where the object is open.
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}
