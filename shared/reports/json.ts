/** The report as JSON bytes, and back. */
import { PlimsollError } from '../domain/errors.ts';
import type { Report } from '../domain/report.ts';
import { reportSchema } from './report-schema.ts';

/** The report as UTF-8 JSON with a line end, keys in buildReport's order: the same report gives the same bytes. */
export function reportBytes(report: Report): Uint8Array {
  return Buffer.from(`${JSON.stringify(report, null, 2)}\n`);
}

/** The report in the bytes; keys that it does not know are left out. Throws INVALID_INPUT naming `where` and the field
 *  that has another shape. */
export function parseReport(bytes: Uint8Array, where: string): Report {
  const parsed = reportSchema.safeParse(parseJson(bytes, where));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PlimsollError(
    'INVALID_INPUT',
    `${where}: expected a report of schema version 1.0, found another shape at ${issue?.path.join('.') || 'its root'}: ${issue?.message ?? 'unknown'}`,
    { cause: parsed.error },
  );
}

function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new PlimsollError('INVALID_INPUT', `${where}: expected a report as JSON, found: ${error.message}`, {
      cause: error,
    });
  }
}
