/** Requests and responses of the API, free of any framework, and the bounded reading of bodies. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { PlimsollError } from '../domain/errors.ts';

export interface ApiRequest {
  readonly method: string;
  /** Parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** The first value of each query parameter. */
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Largest body of a request to the API in bytes; webhooks have a limit of their own. */
export const maxApiBodyBytes = 64 * 1024;

/** A JSON response. */
export function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): ApiResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

/** A response without a body. */
export function noContent(): ApiResponse {
  return { status: 204, headers: {}, body: '' };
}

export interface BodyReading {
  /** Undefined where the body is larger than the limit. */
  readonly bytes: Uint8Array | undefined;
  /** Hex SHA-256 of the whole body, also of one that is too large. */
  readonly sha256: string;
}

/** Reads a body to its end, keeping at most `maxBytes`: what is larger is hashed and thrown away, because a sender
 *  that is answered before it has sent everything takes the answer for a broken connection and sends again. */
export async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<BodyReading> {
  const hash = createHash('sha256');
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    size += chunk.byteLength;
    if (size <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return { bytes: size > maxBytes ? undefined : Buffer.concat(chunks), sha256: hash.digest('hex') };
}

/** Whether the body is larger than `maxBytes`; reads no further than it must and keeps nothing. */
export async function isLargerThan(
  request: Pick<ApiRequest, 'headers' | 'body'>,
  maxBytes: number,
): Promise<boolean> {
  if (Number(request.headers['content-length']) > maxBytes) return true;
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > maxBytes) return true;
  }
  return false;
}

/** The JSON of the bytes, or undefined where they are none. */
export function parseJson(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder().decode(bytes)) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The body of an API request as the schema wants it. Throws TOO_LARGE, INVALID_INPUT. */
export async function readJsonBody<T>(request: ApiRequest, schema: z.ZodType<T>): Promise<T> {
  const { bytes } = await readBody(request.body, maxApiBodyBytes);
  if (bytes === undefined) {
    throw new PlimsollError(
      'TOO_LARGE',
      `expected a body of at most ${maxApiBodyBytes} bytes, found a larger one`,
    );
  }
  const parsed = parseJson(bytes);
  if (parsed === undefined)
    throw new PlimsollError('INVALID_INPUT', 'expected a JSON body, found something else');
  return checkInput('body', schema, parsed.value);
}

/** The value as the schema wants it. Throws INVALID_INPUT naming the field. */
export function checkInput<T>(where: string, schema: z.ZodType<T>, value: unknown): T {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const field = [where, ...(issue?.path ?? []).map(String)].join('.');
  throw new PlimsollError(
    'INVALID_INPUT',
    `${field.slice(0, 200)}: ${issue?.message ?? 'has another shape'}`,
    {
      cause: checked.error,
    },
  );
}
