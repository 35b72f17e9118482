/** The table of all settings, and what is said of one that is wrong. */
import type { z } from 'zod';
import { PlimsollError } from '../domain/errors.ts';

export interface SettingRow {
  readonly name: string;
  /** Used where the setting is absent or empty; undefined where it is required or may be absent. */
  readonly defaultValue?: string;
  readonly isRequired: boolean;
  readonly meaning: string;
}

/** Every setting, for the parser, the documentation and the deployment. */
export const settingTable = [
  {
    name: 'PLIMSOLL_QUEUE_SERVICE_URI',
    isRequired: true,
    meaning: 'Queue endpoint of the storage account: https://<account>.queue.core.windows.net',
  },
  {
    name: 'PLIMSOLL_BLOB_SERVICE_URI',
    isRequired: true,
    meaning: 'Blob endpoint of the storage account: https://<account>.blob.core.windows.net',
  },
  {
    name: 'PLIMSOLL_COSMOS_ENDPOINT',
    isRequired: true,
    meaning: 'Endpoint of the Cosmos DB account: https://<account>.documents.azure.com',
  },
  {
    name: 'PLIMSOLL_COSMOS_DATABASE',
    isRequired: false,
    defaultValue: 'plimsoll',
    meaning: 'Name of the database',
  },
  {
    name: 'PLIMSOLL_KEY_VAULT_URI',
    isRequired: true,
    meaning:
      'Key Vault that holds webhook tokens, registry passwords and signing secrets: https://<name>.vault.azure.net',
  },
  {
    name: 'PLIMSOLL_IDENTITY_CLIENT_ID',
    isRequired: false,
    meaning: 'Client id of the user-assigned managed identity; absent: the system-assigned one',
  },
  {
    name: 'PLIMSOLL_REGISTRIES',
    isRequired: false,
    defaultValue: '[]',
    meaning:
      'JSON list of the registries, {host, aliases?, environment, auth, webhookTokenSecret?} each; no other is called',
  },
  {
    name: 'PLIMSOLL_ADVISORIES_URL',
    isRequired: false,
    defaultValue: 'https://osv-vulnerabilities.storage.googleapis.com',
    meaning:
      'Where advisories are synced from: a URL laid out as the public OSV bucket, or a folder on one machine',
  },
  {
    name: 'PLIMSOLL_ADVISORIES_ECOSYSTEMS',
    isRequired: false,
    meaning:
      'Comma-separated OSV ecosystems to import, of those that the feed has; absent: those that images can be matched against',
  },
  {
    name: 'PLIMSOLL_CVE_LIST_URL',
    isRequired: false,
    meaning:
      'Zip archive of the CVE List (format 5.x), or a folder or file on one machine: severities that advisories do not give; absent: those stay unknown',
  },
  {
    name: 'PLIMSOLL_POLICY_FILE',
    isRequired: false,
    meaning:
      'JSON or YAML file with the policy, as a path that the app can read; a change is in force within five minutes; absent: the default policy',
  },
  {
    name: 'PLIMSOLL_ISSUER',
    isRequired: false,
    meaning:
      'Issuer of the tokens that callers of the API will show; tokens are not verified yet, so the API answers 401 with it too',
  },
  {
    name: 'PLIMSOLL_TIMINGS',
    isRequired: false,
    defaultValue: '{}',
    meaning:
      'JSON object that overrides leases, delays and ages of the pipeline, in milliseconds: {"claimLeaseMs": 600000}',
  },
  {
    name: 'PLIMSOLL_ALLOW_LOOPBACK',
    isRequired: false,
    defaultValue: 'false',
    meaning: 'true on one machine alone: loopback registries and receivers count, also over plain HTTP',
  },
] as const satisfies readonly SettingRow[];

export type SettingName = (typeof settingTable)[number]['name'];

/** The value is not repeated: somebody may have put a secret where none belongs. */
export function invalidSetting(name: SettingName, detail: string): PlimsollError {
  return new PlimsollError('INVALID_SETTING', `setting ${name}: ${detail}`);
}

/** The JSON value of a setting as its schema wants it. Throws INVALID_SETTING naming the property. */
export function parseJsonSetting<T>(name: SettingName, schema: z.ZodType<T>, json: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Without the cause: its message repeats a part of the value.
    throw invalidSetting(name, 'expected JSON, found something that is none');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : `at ${issue.path.join('.')}: `;
  throw invalidSetting(name, `${where}${issue?.message ?? 'another shape was expected'}`);
}
