/** The index before the first synchronisation: it covers nothing, so everything that is looked up is a coverage issue. */

import type { AdvisoryIndex } from '../domain/advisory.ts';
import { digestOf } from '../domain/digest.ts';

export const emptyIndex: AdvisoryIndex = {
  revision: { revision: 0, contentHash: digestOf('[]'), newestAt: '1970-01-01T00:00:00Z' },
  covers: () => false,
  lookup: async () => new Map(),
  // Revision 0 is the first: nothing changed after it or after a later one.
  changedSince: async () => false,
};
