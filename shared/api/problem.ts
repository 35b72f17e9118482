/** Errors as RFC 9457 problem documents: which code gets which status. */
import { STATUS_CODES } from 'node:http';
import type { ErrorCode, PlimsollError } from '../domain/errors.ts';
import type { ApiResponse } from './http.ts';

/** A problem document. `type` is about:blank, so `title` is the status in words; `code` is for programs. */
export function problem(
  status: number,
  code: string,
  detail: string,
  more: {
    readonly members?: Readonly<Record<string, unknown>>;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): ApiResponse {
  const document = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code, detail };
  return {
    status,
    headers: { 'content-type': 'application/problem+json; charset=utf-8', ...more.headers },
    body: JSON.stringify({ ...more.members, ...document }),
  };
}

/** The problem document of an error. Messages of PlimsollError hold no secret, so they may be shown. */
export function problemOf(error: PlimsollError): ApiResponse {
  const status = statuses[error.code];
  const waitMs = error.retryAfterMs ?? (status === 503 ? defaultRetryAfterMs : undefined);
  const headers = waitMs === undefined ? {} : { 'retry-after': String(Math.ceil(waitMs / 1_000)) };
  return problem(status, error.code, error.message, { headers });
}

const defaultRetryAfterMs = 5_000;

/** UNAUTHORIZED and FORBIDDEN are what a registry said to us, not what we say to a caller: that is no error here. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  INVALID_REFERENCE: 400,
  INVALID_DIGEST: 400,
  INVALID_INPUT: 400,
  INVALID_POLICY: 400,
  REGISTRY_NOT_CONFIGURED: 422,
  TOO_LARGE: 413,
  NOT_FOUND: 404,
  CONFLICT: 409,
  PLATFORM_REQUIRED: 409,
  RECEIVER_REFUSED: 422,
  UNAUTHORIZED: 502,
  FORBIDDEN: 502,
  REGISTRY_UNREACHABLE: 502,
  REGISTRY_THROTTLED: 502,
  REGISTRY_REFUSED: 502,
  INSECURE_TRANSPORT: 502,
  INVALID_MANIFEST: 502,
  UNSUPPORTED_MEDIA_TYPE: 502,
  DIGEST_MISMATCH: 502,
  RECEIVER_UNREACHABLE: 502,
  ADVISORIES_UNREACHABLE: 502,
  SERVER_UNREACHABLE: 502,
  STORE_UNAVAILABLE: 503,
  QUEUE_UNAVAILABLE: 503,
  SECRET_UNAVAILABLE: 503,
  ADVISORIES_MISSING: 503,
  INVALID_SETTING: 500,
  SECRET_NOT_FOUND: 500,
  ADVISORIES_INVALID: 500,
  UNSUPPORTED_RUNTIME: 500,
};
