/** Whether a version is affected by an advisory: OSV's evaluation (ossf.github.io/osv-schema, "Evaluation"). */
import type { AdvisoryRange, AdvisoryRow, RangeEvent } from '../domain/advisory.ts';
import type { VersionOrder } from '../versions/contract.ts';

export type Evaluation =
  /** `fixedVersion` is the least one that ends being affected; without it `isOpen` tells that no end is named at all. */
  | { readonly status: 'affected'; readonly fixedVersion?: string; readonly isOpen: boolean }
  | { readonly status: 'not-affected' }
  /** A version of the advisory has no place in the order, and nothing else says that the package is affected. */
  | { readonly status: 'not-comparable'; readonly version: string };

/** Picks the order of a range; undefined where there is none. */
export type OrderOfRange = (type: AdvisoryRange['type']) => VersionOrder | undefined;

/** Affected if any range holds the version or `versions` lists it. A range that can't be compared never hides another. */
export function evaluateRow(row: AdvisoryRow, version: string, orderOf: OrderOfRange): Evaluation {
  const isListed = row.versions?.includes(version) === true;
  let notComparable: string | undefined;
  const ranges: SortedRange[] = [];
  for (const range of row.ranges) {
    const sorted = sortEvents(range, version, orderOf(range.type));
    if (typeof sorted === 'string') notComparable ??= sorted;
    else ranges.push(sorted);
  }
  const holding = ranges.filter((range) => holds(range, version));
  if (holding.length === 0 && !isListed) {
    return notComparable === undefined
      ? { status: 'not-affected' }
      : { status: 'not-comparable', version: notComparable };
  }
  const isOpen = holding.some((range) => nextEnd(range, version) === undefined);
  // With a range that was not understood, nobody knows whether a fix of another one is enough.
  const fixedVersion = notComparable === undefined ? fixOf(ranges, version) : undefined;
  return fixedVersion === undefined
    ? { status: 'affected', isOpen }
    : { status: 'affected', isOpen: false, fixedVersion };
}

interface SortedRange {
  readonly order: VersionOrder;
  readonly events: readonly RangeEvent[];
  readonly limits: readonly string[];
}

/** The events in order, or the version that has no place in it. */
function sortEvents(
  range: AdvisoryRange,
  version: string,
  order: VersionOrder | undefined,
): SortedRange | string {
  if (order === undefined) return version;
  const events: RangeEvent[] = [];
  const limits: string[] = [];
  for (const event of range.events) {
    const at = versionOf(event);
    if (!isUnbounded(event) && order.compare(at, version) === undefined) return at;
    if ('limit' in event) limits.push(event.limit);
    else events.push(event);
  }
  return { order, limits, events: events.sort((a, b) => compareEvents(a, b, order)) };
}

/** By version; of equal ones `introduced` first, so that `introduced 0, fixed 0` means never. */
function compareEvents(a: RangeEvent, b: RangeEvent, order: VersionOrder): number {
  const aFirst = isUnbounded(a);
  const bFirst = isUnbounded(b);
  if (aFirst !== bFirst) return aFirst ? -1 : 1;
  if (aFirst) return kindRank(a) - kindRank(b);
  return (order.compare(versionOf(a), versionOf(b)) ?? 0) || kindRank(a) - kindRank(b);
}

function kindRank(event: RangeEvent): number {
  return 'introduced' in event ? 0 : 1;
}

/** `introduced 0` and `fixed 0` are before every version and `limit *` is after every one, whether or not the order
 *  knows such texts. */
function isUnbounded(event: RangeEvent): boolean {
  return (
    ('introduced' in event && event.introduced === '0') ||
    ('fixed' in event && event.fixed === '0') ||
    ('limit' in event && event.limit === '*')
  );
}

function versionOf(event: RangeEvent): string {
  if ('introduced' in event) return event.introduced;
  if ('fixed' in event) return event.fixed;
  return 'lastAffected' in event ? event.lastAffected : event.limit;
}

function holds(range: SortedRange, version: string): boolean {
  const { order, limits } = range;
  if (limits.length > 0 && !limits.some((limit) => limit === '*' || order.compare(version, limit) === -1))
    return false;
  let isAffected = false;
  for (const event of range.events) {
    const compared = isUnbounded(event) ? -1 : order.compare(versionOf(event), version);
    if (compared === undefined) return false;
    if ('introduced' in event) {
      if (compared <= 0) isAffected = true;
    } else if ('fixed' in event) {
      if (compared <= 0) isAffected = false;
    } else if (compared < 0) {
      isAffected = false;
    }
  }
  return isAffected;
}

/** The event that ends the interval in which the version lies; undefined where it goes on for ever. */
function nextEnd(range: SortedRange, version: string): RangeEvent | undefined {
  for (const event of range.events) {
    if ('introduced' in event || isUnbounded(event)) continue;
    const compared = range.order.compare(versionOf(event), version) ?? -1;
    if ('fixed' in event ? compared > 0 : compared >= 0) return event;
  }
  const limit = range.limits.find((one) => one !== '*');
  return limit === undefined ? undefined : { limit };
}

/** The least version, named as a fix, that no range holds any more; undefined where one of the ends names no fix. */
function fixOf(ranges: readonly SortedRange[], version: string): string | undefined {
  let candidate = version;
  let fixed: string | undefined;
  // Each round passes at least one event, so it ends; the bound is for an order that contradicts itself.
  for (let round = ranges.reduce((count, range) => count + range.events.length, 0); round >= 0; round -= 1) {
    const holding = ranges.find((range) => holds(range, candidate));
    if (holding === undefined) return fixed;
    const end = nextEnd(holding, candidate);
    if (end === undefined || !('fixed' in end)) return undefined;
    candidate = end.fixed;
    fixed = end.fixed;
  }
  return undefined;
}
