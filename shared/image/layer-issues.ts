/** The coverage issues of one layer: each once, sorted, and of one code no more than can be read. */
import { compareText } from '../base/text-order.ts';
import type { CoverageCode, CoverageIssue } from '../domain/coverage.ts';
import type { Digest } from '../domain/digest.ts';

/** Longest path in an issue, in characters: paths come from the image. */
const maxShownPath = 300;

/** Longest detail, in characters: some hold what a parser quotes from the image. */
const maxShownDetail = 500;

export class LayerIssues {
  readonly #layer: Digest;
  readonly #maxPerCode: number;
  /** Issues that no later entry can take back; bounded by twice maxPerCode for each code. */
  readonly #kept = new Map<CoverageCode, CoverageIssue[]>();
  readonly #dropped = new Map<CoverageCode, number>();

  constructor(layer: Digest, maxPerCode: number) {
    this.#layer = layer;
    this.#maxPerCode = maxPerCode;
  }

  create(code: CoverageCode, detail: string, path?: string): CoverageIssue {
    const shown = detail.slice(0, maxShownDetail);
    if (path === undefined) return { code, layer: this.#layer, detail: shown };
    return { code, path: path.slice(0, maxShownPath), layer: this.#layer, detail: shown };
  }

  add(issue: CoverageIssue): void {
    const kept = this.#kept.get(issue.code) ?? [];
    this.#kept.set(issue.code, kept);
    if (kept.length < this.#maxPerCode) kept.push(issue);
    else this.#dropped.set(issue.code, (this.#dropped.get(issue.code) ?? 0) + 1);
  }

  /** All of them, with one line for those of a code that are too many. */
  list(): CoverageIssue[] {
    const listed: CoverageIssue[] = [...this.#kept.values()].flat();
    for (const [code, count] of this.#dropped) {
      listed.push(this.create(code, `${count} more of this code are not listed`));
    }
    return listed.sort(compareIssues);
  }
}

function compareIssues(a: CoverageIssue, b: CoverageIssue): number {
  return (
    compareText(a.code, b.code) ||
    compareText(a.path ?? '\uffff', b.path ?? '\uffff') ||
    compareText(a.detail, b.detail)
  );
}
