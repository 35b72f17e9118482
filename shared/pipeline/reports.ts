/** Reports of judged images as blobs, one per history item. */
import { hexOf } from '../domain/digest.ts';
import { type Place, placeKey } from '../domain/place.ts';
import type { Report } from '../domain/report.ts';
import type { Blobs } from '../ports/blobs.ts';
import { reportBytes } from '../reports/json.ts';
import { createJson, readText, requireJson } from './json-blob.ts';
import type { HistoryRef } from './state/images.ts';

/** Stores the report of a history item; the same inputs give the same bytes, so a repeat changes nothing. */
export async function storeReport(
  blobs: Blobs,
  place: Place,
  ref: HistoryRef,
  report: Report,
): Promise<void> {
  await createJson(
    blobs,
    'reports',
    reportBlob(place, ref),
    Buffer.from(reportBytes(report)).toString('utf8'),
  );
}

/** The report of a history item. Throws NOT_FOUND. */
export function loadReport(blobs: Blobs, place: Place, ref: HistoryRef): Promise<Report> {
  return requireJson<Report>(blobs, 'reports', reportBlob(place, ref));
}

/** The report's own bytes as text, or undefined where there is none. */
export function loadReportText(blobs: Blobs, place: Place, ref: HistoryRef): Promise<string | undefined> {
  return readText(blobs, 'reports', reportBlob(place, ref));
}

function reportBlob(place: Place, ref: HistoryRef): string {
  return `${hexOf(ref.digest)}/${placeKey(place)}/${ref.inputsHash}.json.gz`;
}
