/** Runs the catalogers of a layer one file after the other, in the archive's order, so that limits hit the same file
 *  every time. */
import type { Cataloger, LayerFile } from '../catalogers/contract.ts';
import type { CoverageCode } from '../domain/coverage.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { Claim } from '../domain/package.ts';
import type { StreamedFile } from './file-content.ts';
import { MemoryBudget } from './memory-budget.ts';

/** Takes what a cataloger says of its files. */
export interface ClaimTaker {
  claim(claim: Claim): void;
  issue(code: CoverageCode, path: string, detail: string): void;
}

export class CatalogRun {
  readonly #claimBudget: MemoryBudget;
  readonly #maxClaimBytes: number;
  #last: Promise<void> | undefined;
  #open: StreamedFile | undefined;

  constructor(maxClaimBytes: number) {
    this.#maxClaimBytes = maxClaimBytes;
    this.#claimBudget = new MemoryBudget(maxClaimBytes);
  }

  /** Reads the files once everything before them is read. */
  add(cataloger: Cataloger, files: readonly LayerFile[], taker: ClaimTaker): void {
    this.#queue(() => this.#catalog(cataloger, files, taker));
  }

  /** As add, for a file whose content is still coming. */
  addStreamed(cataloger: Cataloger, file: StreamedFile, taker: ClaimTaker): void {
    this.#open = file;
    this.#queue(async () => {
      await this.#catalog(cataloger, [file], taker);
      file.discard();
      if (this.#open === file) this.#open = undefined;
    });
  }

  /** Resolves once everything that has come is read; undefined where that is so already. Throws UNSUPPORTED_RUNTIME
   *  where a cataloger does. */
  settle(): Promise<void> | undefined {
    if (this.#last === undefined || this.#open === undefined) return this.#last;
    return Promise.race([this.#last, this.#open.drained()]);
  }

  #queue(task: () => Promise<void>): void {
    const last = this.#last === undefined ? task() : this.#last.then(task);
    this.#last = last;
    last.then(
      () => {
        if (this.#last === last) this.#last = undefined;
      },
      // Whoever settles next is told.
      () => {},
    );
  }

  /** A cataloger is a plug-in that reads hostile bytes: what it throws is that file's coverage issue, whatever it is. */
  async #catalog(cataloger: Cataloger, files: readonly LayerFile[], taker: ClaimTaker): Promise<void> {
    const path = files[0]?.path ?? '';
    try {
      for await (const claim of cataloger.catalog(files)) {
        if (claim.kind === 'unreadable') {
          taker.issue('UNREADABLE_FILE', claim.path, `${cataloger.name}: ${claim.detail}`);
        } else if (this.#claimBudget.reserve(estimateBytes(claim))) {
          taker.claim(claim);
        } else {
          const detail = `${cataloger.name}: the layer claims more than ${this.#maxClaimBytes} bytes (maxClaimBytes); the rest of this file was dropped`;
          taker.issue('LIMIT_MEMORY', path, detail);
          return;
        }
      }
    } catch (error) {
      if (error instanceof PlimsollError && error.code === 'UNSUPPORTED_RUNTIME') throw error;
      const isTooLarge = error instanceof PlimsollError && error.code === 'TOO_LARGE';
      const reason = error instanceof Error ? error.message : String(error);
      taker.issue(isTooLarge ? 'FILE_TOO_LARGE' : 'UNREADABLE_FILE', path, `${cataloger.name}: ${reason}`);
    }
  }
}

/** About what V8 holds for a claim, with the garbage that it lets grow beside it. */
function estimateBytes(claim: Claim): number {
  if (claim.kind === 'owned-files') {
    return claim.paths.reduce((sum, path) => sum + 2 * path.length + 64, 100 + claim.owner.length);
  }
  if (claim.kind !== 'package') return 1000;
  const licenses = claim.licenses?.reduce((sum, license) => sum + license.length + 32, 0) ?? 0;
  return 400 + 2 * (claim.name.length + claim.version.length + licenses);
}
