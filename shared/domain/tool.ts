/** Name and version under which Plimsoll signs what it writes. */

/** `version` equals the one in package.json; a test holds that. */
export const tool = { name: 'plimsoll', version: '0.1.0' } as const;
