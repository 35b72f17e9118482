/** The one error class of Plimsoll and the closed list of its codes. */

/** What can fail, by name. docs/errors.md explains each code; a test holds that. */
export const errorCodes = [
  'INVALID_REFERENCE',
  'INVALID_DIGEST',
  'INVALID_INPUT',
  'INVALID_POLICY',
  'INVALID_MANIFEST',
  'INVALID_SETTING',
  'UNSUPPORTED_MEDIA_TYPE',
  'DIGEST_MISMATCH',
  'TOO_LARGE',
  'NOT_FOUND',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'REGISTRY_NOT_CONFIGURED',
  'REGISTRY_UNREACHABLE',
  'REGISTRY_THROTTLED',
  'REGISTRY_REFUSED',
  'INSECURE_TRANSPORT',
  'ADVISORIES_MISSING',
  'ADVISORIES_INVALID',
  'ADVISORIES_UNREACHABLE',
  'PLATFORM_REQUIRED',
  'STORE_UNAVAILABLE',
  'QUEUE_UNAVAILABLE',
  'SECRET_UNAVAILABLE',
  'SECRET_NOT_FOUND',
  'CONFLICT',
  'RECEIVER_REFUSED',
  'RECEIVER_UNREACHABLE',
  'UNSUPPORTED_RUNTIME',
  'SERVER_UNREACHABLE',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface PlimsollErrorOptions {
  /** True where the same call may succeed later (429, 5xx, network, a store that is down). */
  readonly retryable?: boolean;
  /** How long the other side asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A failure that somebody can act on. The message says what was expected, what was found, where, and what to do. */
export class PlimsollError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: PlimsollErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PlimsollError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** True for a PlimsollError that may pass when tried again. */
export function isRetryable(error: unknown): boolean {
  return error instanceof PlimsollError && error.retryable;
}
