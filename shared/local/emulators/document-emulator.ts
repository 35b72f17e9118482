/** Process entry: the document store of one machine. The engine of @vercel/cosmosdb-server behind TLS, with Entra tokens
 *  required, and with a snapshot that survives a restart. Arguments: --port --folder --certificate --key. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import accountModule from '@vercel/cosmosdb-server/lib/account/index.js';
import routesModule from '@vercel/cosmosdb-server/lib/routes.js';
import { closeServer, listen } from './server.ts';
import { createSnapshotFile } from './snapshot.ts';
import { announceReady, stopWithParent } from './stop-with-parent.ts';
import { readTokenClaims } from './tokens.ts';

/** How long a change may stand in memory alone. */
const snapshotEveryMs = 2_000;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    folder: { type: 'string' },
    certificate: { type: 'string' },
    key: { type: 'string' },
  },
});
const { folder = '.', certificate = '', key = '' } = values;

const [cert, privateKey] = await Promise.all([readFile(certificate), readFile(key)]);
const server = createServer({ cert, key: privateKey });
const port = await listen(server, Number(values.port));
const account = new accountModule.default('127.0.0.1', port);
const snapshot = createSnapshotFile(join(folder, 'documents.json'), account);
await snapshot.load(new Date());
server.on('request', (request, response) => void answer(request, response));

const timer = setInterval(() => {
  snapshot.save(new Date()).catch((error: unknown) => {
    // The next round tries again; what is in memory still answers.
    process.stderr.write(`snapshot failed: ${error instanceof Error ? error.message : String(error)}\n`);
  });
}, snapshotEveryMs);
stopWithParent(async () => {
  clearInterval(timer);
  await closeServer(server);
  await snapshot.save(new Date());
});
announceReady({ documents: port });

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request, response);
  response.setHeader('content-type', 'application/json');
  response.setHeader('x-ms-activity-id', randomUUID());
  response.setHeader('x-ms-request-charge', '1');
  const etag = body?.['_etag'];
  if (typeof etag === 'string') response.setHeader('etag', etag);
  response.end(body === undefined || response.statusCode === 204 ? undefined : JSON.stringify(body));
}

async function bodyOf(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Record<string, unknown> | undefined> {
  if (!hasEntraToken(request)) {
    response.statusCode = 401;
    return { code: 'Unauthorized', message: 'Expected an Entra token that is valid now' };
  }
  const route = routesModule.default(request);
  if (route === undefined) {
    response.statusCode = 400;
    return { code: 'BadRequest', message: 'no such operation' };
  }
  const [parameters, handler] = route as [Record<string, string>, Handler];
  if (request.method !== 'GET') snapshot.markChanged();
  try {
    const body = await handler(account, request, response, parameters);
    return response.statusCode >= 400 ? { message: '', ...body } : body;
  } catch (error) {
    // Reading a document that is not there ends in a TypeError of the engine instead of an answer.
    const isRead =
      request.method === 'GET' && parameters['docId'] !== undefined && error instanceof TypeError;
    response.statusCode = isRead ? 404 : 500;
    return { code: isRead ? 'NotFound' : 'InternalServerError', message: String(error) };
  }
}

type Handler = (
  account: InstanceType<typeof accountModule.default>,
  request: IncomingMessage,
  response: ServerResponse,
  parameters: Record<string, string>,
) => Promise<Record<string, unknown> | undefined>;

/** `type=aad&ver=1.0&sig=<token>`, percent-encoded. */
function hasEntraToken(request: IncomingMessage): boolean {
  const header = decodeURIComponent(request.headers.authorization ?? '');
  const token = /^type=aad&ver=1\.0&sig=(.+)$/.exec(header)?.[1];
  return token !== undefined && readTokenClaims(token, new Date()) !== undefined;
}
