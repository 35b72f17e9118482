/** The only wiring for Azure: from the settings to ports, pipeline and API. Made at the first call, not at import. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { basename } from 'node:path';
import type { InvocationContext } from '@azure/functions';
import { fetchCveList } from '../shared/advisories/cve-list.ts';
import { defaultIdleTimeoutMs, defaultRetries } from '../shared/advisories/download.ts';
import { openOsvSource } from '../shared/advisories/osv-source.ts';
import { type ApiContext, newApiCaches } from '../shared/api/context.ts';
import { createWebhookTokens } from '../shared/api/webhook-tokens.ts';
import { createHttpsSender } from '../shared/azure/https-sender.ts';
import { createAzurePorts } from '../shared/azure/ports.ts';
import { readSettings, type Settings } from '../shared/azure/settings.ts';
import { isLoopbackHost } from '../shared/base/addresses.ts';
import { createHttpClient } from '../shared/base/http.ts';
import { catalogers } from '../shared/catalogers/registry.ts';
import { PlimsollError } from '../shared/domain/errors.ts';
import type { Policy } from '../shared/domain/policy.ts';
import { tool } from '../shared/domain/tool.ts';
import { localOperator } from '../shared/local/local-operator.ts';
import { matchedEcosystems } from '../shared/matching/matched-ecosystems.ts';
import { type AdvisoryFeed, osvFeed } from '../shared/pipeline/advisory-feed.ts';
import { newCaches } from '../shared/pipeline/context.ts';
import { createLayerSlots } from '../shared/pipeline/layer-slots.ts';
import { parsePolicy } from '../shared/policy/parse-policy.ts';
import type { Callers } from '../shared/ports/caller.ts';
import type { Log, LogFields } from '../shared/ports/log.ts';

/** Memory that one layer in flight may need, with what the process itself takes spread over them: 2 GB admit four. */
const memoryPerLayerBytes = 512 * 1024 * 1024;

let made: ApiContext | undefined;

/** Everything a trigger needs, one for the process. Throws INVALID_SETTING naming the setting, at every call. */
export function app(): ApiContext {
  made ??= make(process.env);
  return made;
}

/** Which invocation the code belongs to, so that its log lines stand with it. */
export const invocations = new AsyncLocalStorage<InvocationContext>();

/** One line of JSON an event, through the invocation's own log: the host adds function and invocation id. */
export const log: Log = {
  info: (event, fields) => invocations.getStore()?.info(lineOf(event, fields)),
  warn: (event, fields) => invocations.getStore()?.warn(lineOf(event, fields)),
  error: (event, fields) => invocations.getStore()?.error(lineOf(event, fields)),
};

function make(env: Readonly<Record<string, string | undefined>>): ApiContext {
  const settings = readSettings(env);
  const { allowLoopback } = settings;
  const identityHost = URL.parse(env['IDENTITY_ENDPOINT'] ?? '')?.host;
  const sender = createHttpsSender({
    allowLoopback,
    refusedHosts: identityHost === undefined ? [] : [identityHost],
  });
  const ports = createAzurePorts(settings, { sender, log });
  return {
    pipeline: {
      ports,
      timings: settings.timings,
      registries: settings.registries,
      catalogers,
      toolVersion: tool.version,
      newId: randomUUID,
      layerSlots: createLayerSlots(countLayerSlots()),
      advisoryFeed: openFeed(settings),
      policy: readPolicy(settings),
      publicUrl: publicUrlOf(env['WEBSITE_HOSTNAME']),
      caches: newCaches(),
    },
    // App Service always names its site: there nobody is the local operator, whatever the settings say.
    callers: allowLoopback && env['WEBSITE_SITE_NAME'] === undefined ? localOperator : nobody,
    tokens: createWebhookTokens({ secrets: ports.secrets, clock: ports.clock }),
    caches: newApiCaches(),
  };
}

/** Until an issuer's tokens are verified, no request proves a caller. */
const nobody: Callers = { identify: async () => undefined };

function openFeed(settings: Settings): AdvisoryFeed {
  const download = { http: createHttpClient(), retries: defaultRetries, idleTimeoutMs: defaultIdleTimeoutMs };
  const { cveListUrl } = settings;
  return osvFeed({
    source: openOsvSource(settings.advisoriesUrl, download),
    ecosystems: settings.advisoriesEcosystems ?? matchedEcosystems,
    ...(cveListUrl === undefined ? {} : { cveRatings: () => fetchCveList(cveListUrl, download) }),
  });
}

/** Throws INVALID_SETTING where the file can't be read, INVALID_POLICY where it says something else than a policy. */
function readPolicy({ policyFile }: Settings): Policy | undefined {
  if (policyFile === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(policyFile, 'utf8');
  } catch (cause) {
    const message = `setting PLIMSOLL_POLICY_FILE: ${policyFile} can't be read`;
    throw new PlimsollError('INVALID_SETTING', message, { cause });
  }
  return parsePolicy(text, basename(policyFile));
}

/** The host names the address that it is reached by. */
function publicUrlOf(hostName: string | undefined): string | undefined {
  if (hostName === undefined) {
    return undefined;
  }
  return `${isLoopbackHost(hostName) ? 'http' : 'https'}://${hostName}/api`;
}

function countLayerSlots(): number {
  const limitBytes = process.constrainedMemory();
  const memoryBytes = limitBytes > 0 && limitBytes < totalmem() ? limitBytes : totalmem();
  return Math.min(8, Math.max(1, Math.round(memoryBytes / memoryPerLayerBytes)));
}

function lineOf(event: string, fields: LogFields = {}): string {
  return JSON.stringify({ event, ...fields });
}
