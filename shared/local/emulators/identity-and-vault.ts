/** Process entry: what stands in for the managed identity endpoint (plain HTTP, as on App Service) and for Key Vault's
 *  secrets (TLS). Arguments: --identity-port --vault-port --folder --certificate --key; identity and set-up headers come
 *  by the environment, for arguments can be seen by every user. */
import { timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { openSecretFile, type SecretFile } from './secret-file.ts';
import { closeServer, listen } from './server.ts';
import { announceReady, stopWithParent } from './stop-with-parent.ts';
import { issueToken, localClientId, readTokenClaims } from './tokens.ts';

/** Audience of Key Vault's tokens. */
const vaultResource = 'https://vault.azure.net';

const { values } = parseArgs({
  options: {
    'identity-port': { type: 'string', default: '0' },
    'vault-port': { type: 'string', default: '0' },
    folder: { type: 'string' },
    certificate: { type: 'string' },
    key: { type: 'string' },
  },
});
const { folder = '.', certificate = '', key = '' } = values;
const identityHeader = process.env['PLIMSOLL_LOCAL_IDENTITY_HEADER'] ?? '';

const [cert, privateKey, secrets] = await Promise.all([
  readFile(certificate),
  readFile(key),
  openSecretFile(join(folder, 'secrets.json')),
]);
const identity = createPlainServer((request, response) => answerIdentity(request, response));
const vault = createTlsServer({ cert, key: privateKey }, (request, response) => {
  answerVault(request, response, secrets).catch((error: unknown) => {
    sendError(response, 500, 'InternalServerError', error instanceof Error ? error.message : 'failed');
  });
});
const [identityPort, vaultPort] = await Promise.all([
  listen(identity, Number(values['identity-port'])),
  listen(vault, Number(values['vault-port'])),
]);
stopWithParent(async () => {
  await Promise.all([closeServer(identity), closeServer(vault)]);
});
announceReady({ identity: identityPort, vault: vaultPort });

/** GET ?api-version=2019-08-01&resource=… with X-IDENTITY-HEADER (App Service, "REST endpoint reference"). */
function answerIdentity(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const resource = url.searchParams.get('resource');
  // The header is what keeps a server-side request forgery from getting a token.
  if (!isSame(String(request.headers['x-identity-header'] ?? ''), identityHeader)) {
    send(response, 401, { statusCode: 401, message: 'X-IDENTITY-HEADER is missing or wrong' });
  } else if (
    request.method !== 'GET' ||
    resource === null ||
    url.searchParams.get('api-version') !== '2019-08-01'
  ) {
    send(response, 400, {
      statusCode: 400,
      message: 'expected GET with api-version=2019-08-01 and resource',
    });
  } else {
    const { accessToken, expiresOn } = issueToken(resource, new Date());
    const clientId = url.searchParams.get('client_id') ?? localClientId;
    send(response, 200, {
      access_token: accessToken,
      expires_on: String(expiresOn),
      resource,
      token_type: 'Bearer',
      client_id: clientId,
    });
  }
}

/** GET secrets/{name}/[{version}]; PUT secrets/{name} sets the value, as Key Vault's own does. */
async function answerVault(
  request: IncomingMessage,
  response: ServerResponse,
  file: SecretFile,
): Promise<void> {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const claims = token === undefined ? undefined : readTokenClaims(token, new Date());
  if (claims?.aud !== vaultResource) {
    response.setHeader(
      'www-authenticate',
      `Bearer authorization="https://login.microsoftonline.com/00000000-0000-4000-8000-000000000001", resource="${vaultResource}"`,
    );
    sendError(response, 401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.');
    return;
  }
  const url = new URL(request.url ?? '/', `https://${request.headers.host}`);
  const [, collection, name = '', version] = url.pathname.split('/');
  if (collection !== 'secrets' || !/^[0-9A-Za-z-]{1,127}$/.test(name)) {
    sendError(response, 400, 'BadParameter', 'expected secrets/{name} with 0-9 a-z A-Z - alone');
  } else if (request.method === 'PUT') {
    const asked = putSchema.safeParse(JSON.parse(await text(request)));
    if (!asked.success) return sendError(response, 400, 'BadParameter', 'expected {value, attributes?}');
    send(
      response,
      200,
      bundle(url, name, await file.set(name, asked.data.value, asked.data.attributes ?? {})),
    );
  } else if (request.method === 'GET') {
    const found = file.get(name, version === '' ? undefined : version);
    if (found === undefined) {
      const message = `A secret with (name/id) ${name} was not found in this key vault.`;
      sendError(response, 404, 'SecretNotFound', message);
    } else if (!found.attributes.enabled) {
      const inner = { code: 'SecretDisabled' };
      const message = 'Operation get is not allowed on a disabled secret.';
      send(response, 403, { error: { code: 'Forbidden', message, innererror: inner } });
    } else {
      send(response, 200, bundle(url, name, found));
    }
  } else {
    sendError(response, 405, 'MethodNotAllowed', 'expected GET or PUT');
  }
}

const putSchema = z.object({
  value: z.string().max(25 * 1024),
  attributes: z.object({ enabled: z.boolean().optional(), exp: z.number().int().optional() }).optional(),
});

function bundle(url: URL, name: string, found: NonNullable<ReturnType<SecretFile['get']>>): object {
  return {
    value: found.value,
    id: `${url.origin}/secrets/${name}/${found.version}`,
    attributes: { ...found.attributes, recoveryLevel: 'Recoverable+Purgeable', recoverableDays: 90 },
  };
}

function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, { error: { code, message } });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

function isSame(a: string, b: string): boolean {
  return (
    b !== '' &&
    Buffer.byteLength(a) === Buffer.byteLength(b) &&
    timingSafeEqual(Buffer.from(a), Buffer.from(b))
  );
}
