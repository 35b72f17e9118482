/** Why the reading of a layer ended early, as a coverage code with its words. */
import type { CoverageCode } from '../domain/coverage.ts';

export interface LayerProblem {
  readonly code: CoverageCode;
  readonly detail: string;
}

/** How decoding ended. */
export interface DecodeEnd {
  /** Undefined where everything was decoded and nothing was left over. */
  readonly problem?: LayerProblem;
  /** Whether the decoded bytes are all there are: true also where something that is no layer data follows them. */
  readonly isComplete: boolean;
}

export const decodedAll: DecodeEnd = { isComplete: true };

/** Something follows the compressed data that is neither more of it nor zeros. */
export const trailingAfterCompressed: DecodeEnd = {
  problem: {
    code: 'TRAILING_DATA',
    detail: 'expected the end of the layer after its compressed data, found other bytes; they were not read',
  },
  isComplete: true,
};

export function brokenDecode(detail: string): DecodeEnd {
  return { problem: { code: 'BROKEN_ARCHIVE', detail }, isComplete: false };
}
