/** Where the images lie that make-images.sh of the workshop builds from Debian's and npm's packages: too large for every
 *  run, so that tests of them skip with this reason unless the folder is named. */
import { existsSync } from 'node:fs';

/** Folder with `oci` and `expected`: $PLIMSOLL_IMAGES. */
export const madeImagesPath = process.env['PLIMSOLL_IMAGES'] ?? '';

export const hasMadeImages = existsSync(`${madeImagesPath}/oci/index.json`);

/** Title suffix for a suite that is skipped without them. */
export const madeImagesReason = hasMadeImages
  ? ''
  : ' (skipped: no built images; run make-images.sh DIR and set PLIMSOLL_IMAGES=DIR)';
