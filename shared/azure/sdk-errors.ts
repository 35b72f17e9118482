/** Turns what the Azure SDKs throw into Plimsoll's errors, without the request they carry: it holds a token. */
import { isNetworkError } from '../base/http.ts';
import { parseRetryAfterMs } from '../base/retry.ts';
import { type ErrorCode, PlimsollError } from '../domain/errors.ts';

/** HTTP status of an SDK's error: `statusCode` in core-rest-pipeline, a number in `code` in Cosmos DB's. */
export function statusOf(error: unknown): number | undefined {
  const status = propertyOf(error, 'statusCode') ?? propertyOf(error, 'code');
  return typeof status === 'number' ? status : undefined;
}

/** The service's own code (`BlobAlreadyExists`, `SecretNotFound`), or the name of a network failure. */
export function serviceCodeOf(error: unknown): string | undefined {
  const details = propertyOf(error, 'details');
  const code = propertyOf(details, 'errorCode') ?? propertyOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

/**
 * The error to throw for a failed call of a service; `what` says which and for what. Retryable where the service did
 * not answer, was busy, or lacks a role or a container: roles take minutes to spread, and a message must outlive a
 * deployment that is half done. Throws the error itself where it is not an SDK's: that is a fault of this program.
 */
export function unavailable(code: ErrorCode, what: string, error: unknown): PlimsollError {
  if (error instanceof PlimsollError) {
    // The identity gave no token, so the service could not even be asked.
    if (error.code !== 'SECRET_UNAVAILABLE') return error;
    const { retryable } = error;
    return new PlimsollError(code, `${what} failed: ${error.message}`, { retryable, cause: error });
  }
  if (!isFromSdk(error)) throw error;
  const status = statusOf(error);
  const isFinal = status !== undefined && status >= 400 && status < 500 && !passingStatuses.has(status);
  const retryAfterMs = retryAfterOf(error);
  return new PlimsollError(code, `${what} failed: ${summaryOf(error)}`, {
    retryable: !isFinal,
    cause: withoutRequest(error),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Statuses below 500 after which the same call may succeed. */
const passingStatuses = new Set([401, 403, 404, 408, 409, 410, 412, 429, 449]);

const sdkErrorNames = new Set([
  'RestError',
  'AbortError',
  'TimeoutError',
  'AuthenticationError',
  'AggregateAuthenticationError',
  'AuthenticationRequiredError',
  'CredentialUnavailableError',
]);

/** Cosmos DB throws plain objects and `Error`s with a numeric or textual `code`. */
function isFromSdk(error: unknown): boolean {
  const name = propertyOf(error, 'name');
  if (typeof name === 'string' && sdkErrorNames.has(name)) return true;
  return (
    statusOf(error) !== undefined ||
    isNetworkError(error) ||
    propertyOf(error, 'code') === 'REQUEST_SEND_ERROR'
  );
}

function summaryOf(error: unknown): string {
  const message = propertyOf(error, 'message');
  const parts = [statusOf(error), serviceCodeOf(error), firstLineOf(message)];
  return parts.filter((part) => part !== undefined && part !== '').join(' ');
}

/** Name, message and stack alone: the SDKs' errors hold the request with its Authorization header, and a logger that
 *  prints all properties would print that. */
export function withoutRequest(error: unknown): Error {
  const plain = new Error(summaryOf(error));
  const name = propertyOf(error, 'name');
  const stack = propertyOf(error, 'stack');
  if (typeof name === 'string') plain.name = name;
  if (typeof stack === 'string') plain.stack = stack.slice(0, maxStackLength);
  return plain;
}

const maxStackLength = 4_000;
const maxMessageLength = 300;

function firstLineOf(message: unknown): string | undefined {
  return typeof message === 'string'
    ? message.trim().split('\n', 1)[0]?.slice(0, maxMessageLength)
    : undefined;
}

function retryAfterOf(error: unknown): number | undefined {
  const fromCosmos = propertyOf(error, 'retryAfterInMs') ?? propertyOf(error, 'retryAfterInMilliseconds');
  if (typeof fromCosmos === 'number') return fromCosmos;
  const headers = propertyOf(propertyOf(error, 'response'), 'headers');
  const get = propertyOf(headers, 'get');
  if (typeof get !== 'function') return undefined;
  const value: unknown = get.call(headers, 'retry-after');
  return typeof value === 'string' ? parseRetryAfterMs(value, new Date()) : undefined;
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
