/** Where the corpus of real inputs lies; tests that need it skip with this reason where it is absent. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Absolute path of the corpus folder: $PLIMSOLL_CORPUS, else beside the checkout. */
export const corpusPath =
  process.env['PLIMSOLL_CORPUS'] ?? fileURLToPath(new URL('../../../shared/corpus', import.meta.url));

/** False where the corpus is not on this machine. */
export const hasCorpus = existsSync(corpusPath);

/** Title suffix for a suite that is skipped without the corpus. */
export const corpusReason = hasCorpus ? '' : ' (skipped: no corpus; set PLIMSOLL_CORPUS)';
