/** All settings of the app, read once and typed. No key and no secret is ever a setting. */
import { z } from 'zod';
import { isLoopbackHost } from '../base/addresses.ts';
import type { RegistrySettings } from '../domain/registry-setting.ts';
import { defaultTimings, type Timings } from '../pipeline/timings.ts';
import { parseRegistries } from './registries-setting.ts';
import {
  invalidSetting,
  parseJsonSetting,
  type SettingName,
  type SettingRow,
  settingTable,
} from './setting-table.ts';

export interface Settings {
  readonly queueServiceUri: string;
  readonly blobServiceUri: string;
  readonly cosmosEndpoint: string;
  readonly cosmosDatabase: string;
  readonly keyVaultUri: string;
  readonly identityClientId?: string;
  readonly registries: RegistrySettings;
  readonly advisoriesUrl: string;
  /** OSV ecosystems to import; undefined for those that images can be matched against. */
  readonly advisoriesEcosystems?: readonly string[];
  readonly cveListUrl?: string;
  readonly policyFile?: string;
  readonly issuer?: string;
  readonly timings: Timings;
  readonly allowLoopback: boolean;
}

/** Throws INVALID_SETTING, in one line that names the setting, for the first that is missing or wrong. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const read = (name: SettingName): string | undefined => readOne(env, name);
  const allowLoopback = parseFlag('PLIMSOLL_ALLOW_LOOPBACK', read('PLIMSOLL_ALLOW_LOOPBACK'));
  const readUri = (name: SettingName): string => parseServiceUri(name, read(name), allowLoopback);
  const identityClientId = read('PLIMSOLL_IDENTITY_CLIENT_ID');
  const issuer = read('PLIMSOLL_ISSUER');
  const ecosystems = read('PLIMSOLL_ADVISORIES_ECOSYSTEMS');
  const cveListUrl = read('PLIMSOLL_CVE_LIST_URL');
  const policyFile = read('PLIMSOLL_POLICY_FILE');
  return {
    queueServiceUri: readUri('PLIMSOLL_QUEUE_SERVICE_URI'),
    blobServiceUri: readUri('PLIMSOLL_BLOB_SERVICE_URI'),
    cosmosEndpoint: readUri('PLIMSOLL_COSMOS_ENDPOINT'),
    cosmosDatabase: read('PLIMSOLL_COSMOS_DATABASE') ?? '',
    keyVaultUri: readUri('PLIMSOLL_KEY_VAULT_URI'),
    ...(identityClientId === undefined ? {} : { identityClientId }),
    registries: parseRegistries(read('PLIMSOLL_REGISTRIES') ?? '', allowLoopback),
    advisoriesUrl: parseFeedAddress(
      'PLIMSOLL_ADVISORIES_URL',
      read('PLIMSOLL_ADVISORIES_URL') ?? '',
      allowLoopback,
    ),
    ...(ecosystems === undefined ? {} : { advisoriesEcosystems: parseNames(ecosystems) }),
    ...(cveListUrl === undefined
      ? {}
      : { cveListUrl: parseFeedAddress('PLIMSOLL_CVE_LIST_URL', cveListUrl, allowLoopback) }),
    ...(policyFile === undefined ? {} : { policyFile }),
    ...(issuer === undefined ? {} : { issuer: parseServiceUri('PLIMSOLL_ISSUER', issuer, allowLoopback) }),
    timings: {
      ...defaultTimings,
      ...parseJsonSetting('PLIMSOLL_TIMINGS', timingsSchema, read('PLIMSOLL_TIMINGS') ?? ''),
    },
    allowLoopback,
  };
}

const milliseconds = z
  .number()
  .int()
  .min(0)
  .max(30 * 24 * 60 * 60 * 1000);
const timingsSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(defaultTimings).map(([name, value]) => [
      name,
      Array.isArray(value) ? z.array(milliseconds).max(50).optional() : milliseconds.optional(),
    ]),
  ),
);

/** The value, the default where it is absent or empty, or undefined. Throws where a required one is missing, and for a
 *  Key Vault reference that was not resolved, which stands in the environment as its own text. */
function readOne(env: Readonly<Record<string, string | undefined>>, name: SettingName): string | undefined {
  const row: SettingRow | undefined = settingTable.find((one) => one.name === name);
  const value = env[name]?.trim() || row?.defaultValue;
  if (value === undefined && row?.isRequired === true)
    throw invalidSetting(name, `it is missing (${row.meaning})`);
  if (value?.startsWith('@Microsoft.KeyVault(') === true) {
    throw invalidSetting(
      name,
      'it is a Key Vault reference that was not resolved; no setting needs a secret, give the value',
    );
  }
  return value;
}

/** An https URL of another machine's service, or of this one where loopback counts. Credentials, queries and
 *  fragments are refused: a shared access signature is a secret, and no setting holds one. */
function parseServiceUri(name: SettingName, value: string | undefined, allowLoopback: boolean): string {
  const url = URL.parse(value ?? '');
  if (url === null || url.protocol !== 'https:')
    throw invalidSetting(name, 'expected a URL that starts with https://');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw invalidSetting(
      name,
      'expected a URL without user, query and fragment: access is by identity, never by a key',
    );
  }
  if (isLoopbackHost(url.host) && !allowLoopback) {
    throw invalidSetting(
      name,
      `${url.host} is a loopback address, which only PLIMSOLL_ALLOW_LOOPBACK=true allows`,
    );
  }
  return url.href.replace(/\/$/, '');
}

/** Names separated by commas; empty ones count for nothing. */
function parseNames(list: string): readonly string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function parseFeedAddress(name: SettingName, value: string, allowLoopback: boolean): string {
  const isWeb = /^[a-z][a-z0-9+.-]+:\/\//i.test(value);
  if (!isWeb && allowLoopback) return value;
  const url = URL.parse(value);
  if (url?.protocol === 'http:' && isLoopbackHost(url.host) && allowLoopback) return value.replace(/\/$/, '');
  return parseServiceUri(name, value, allowLoopback);
}

function parseFlag(name: SettingName, value: string | undefined): boolean {
  if (value !== 'true' && value !== 'false') throw invalidSetting(name, 'expected true or false');
  return value === 'true';
}
