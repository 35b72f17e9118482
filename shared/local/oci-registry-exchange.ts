/** One request to the local registry and its answer, with the faults that were planned for it. */
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Fault } from './oci-registry-faults.ts';
import type { EventTarget, RegistryEvent } from './oci-registry-notifications.ts';
import type { RegistryStorage, Upload } from './oci-registry-storage.ts';

/** What the handlers share. */
export interface RegistryState {
  readonly storage: RegistryStorage;
  readonly uploads: Map<string, Upload>;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly state: RegistryState;
  readonly fault: Fault | undefined;
  /** Tells the event's receiver, if there is one; the request part is filled in. */
  notify(action: RegistryEvent['action'], target: EventTarget): void;
}

/** Codes of the distribution-spec, "Error Codes". */
export type RegistryErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED';

export function sendError(
  exchange: Exchange,
  status: number,
  code: RegistryErrorCode,
  message: string,
): void {
  // What was not read of the body would be taken for the next request.
  exchange.request.resume();
  sendJson(exchange, status, { errors: [{ code, message }] });
}

export function sendJson(
  exchange: Exchange,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  exchange.response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.byteLength,
    ...headers,
  });
  exchange.response.end(exchange.request.method === 'HEAD' ? undefined : bytes);
}

export function sendEmpty(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
): void {
  exchange.response.writeHead(status, { 'content-length': 0, ...headers });
  exchange.response.end();
}

/** Sends a file or bytes, a part of it where the request has a Range, with the fault of the exchange. */
export async function sendContent(
  exchange: Exchange,
  content: { readonly path: string; readonly size: number } | Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { request, response, fault } = exchange;
  const size = Buffer.isBuffer(content) ? content.byteLength : content.size;
  const range = fault?.kind === 'ignore-range' ? undefined : readRange(request.headers.range, size);
  if (range === 'unsatisfiable') {
    sendEmpty(exchange, 416, { 'content-range': `bytes */${size}` });
    return;
  }
  const [start, end] = range ?? [0, size - 1];
  response.writeHead(range === undefined ? 200 : 206, {
    'accept-ranges': 'bytes',
    'content-length': end - start + 1,
    ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }),
    ...headers,
  });
  if (request.method === 'HEAD' || size === 0) {
    response.end();
    return;
  }
  const source = Buffer.isBuffer(content)
    ? Readable.from([content.subarray(start, end + 1)])
    : createReadStream(content.path, { start, end });
  await send(exchange, withFault(source, fault));
}

async function send(exchange: Exchange, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const { response, fault } = exchange;
  for await (const chunk of chunks) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await drainedOrClosed(response);
  }
  if (fault?.kind === 'break') {
    // What was written must have left before the connection goes, else the client sees fewer bytes than planned.
    await new Promise<void>((resolve) => response.write('', () => resolve()));
    response.destroy();
  } else if (fault?.kind !== 'stall') {
    response.end();
  }
}

async function* withFault(
  source: AsyncIterable<Uint8Array>,
  fault: Fault | undefined,
): AsyncGenerator<Uint8Array> {
  let left = fault?.kind === 'break' || fault?.kind === 'stall' ? fault.afterBytes : Number.POSITIVE_INFINITY;
  let isFirst = true;
  for await (const chunk of source) {
    const part = Uint8Array.from(chunk.subarray(0, Math.min(chunk.byteLength, left)));
    if (isFirst && fault?.kind === 'wrong-bytes') part[0] = (part[0] ?? 0) ^ 1;
    isFirst = false;
    left -= part.byteLength;
    yield part;
    if (left <= 0) return;
  }
}

function drainedOrClosed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

/** One range of RFC 9110, 14.1.2, as first and last byte; undefined where there is none that can be served. */
function readRange(
  header: string | undefined,
  size: number,
): readonly [number, number] | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? '');
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start >= size || end < start ? 'unsatisfiable' : [start, end];
}
