/** Times of OSV records: RFC 3339 in UTC with up to nine digits of a second, more than Date keeps. */

/** The time in a form that sorts as text; undefined for what is none and for the zero time, which stands for "absent". */
export function sortableTime(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text);
  if (match === null || match[1] === '0001-01-01T00:00:00') return undefined;
  return `${match[1]}.${(match[2] ?? '').padEnd(9, '0')}`;
}

/** Whether two texts name the same time; ill-formed ones are equal only to themselves. */
export function isSameTime(a: string, b: string): boolean {
  return a === b || (sortableTime(a) !== undefined && sortableTime(a) === sortableTime(b));
}

/** Remembers the newest time that is not after `now`: feeds hold dates in the future. */
export class NewestTime {
  readonly #now: string;
  #key = '';
  #text = '';

  constructor(now: Date) {
    this.#now = sortableTime(now.toISOString()) ?? '';
  }

  add(text: string): void {
    const key = sortableTime(text);
    if (key === undefined || key > this.#now || key <= this.#key) return;
    this.#key = key;
    this.#text = text;
  }

  /** As it was written; the beginning of 1970 where none was seen, which counts as old. */
  get text(): string {
    return this.#text === '' ? '1970-01-01T00:00:00Z' : this.#text;
  }
}
