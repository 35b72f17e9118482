/** The report as JSON bytes. */
import type { Report } from '../domain/report.ts';

/** The report as UTF-8 JSON with a line end, keys in buildReport's order: the same report gives the same bytes. */
export function reportBytes(report: Report): Uint8Array {
  return Buffer.from(`${JSON.stringify(report, null, 2)}\n`);
}
