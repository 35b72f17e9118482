/** Settings are read once; what is wrong is told in one line that names the setting and not its value. */
import { describe, expect, it } from 'vitest';
import { settingTable } from '../../shared/azure/setting-table.ts';
import { readSettings } from '../../shared/azure/settings.ts';
import { PlimsollError } from '../../shared/domain/errors.ts';
import { defaultTimings } from '../../shared/pipeline/timings.ts';

const onAzure = {
  PLIMSOLL_QUEUE_SERVICE_URI: 'https://contoso.queue.core.windows.net/',
  PLIMSOLL_BLOB_SERVICE_URI: 'https://contoso.blob.core.windows.net',
  PLIMSOLL_COSMOS_ENDPOINT: 'https://contoso.documents.azure.com:443/',
  PLIMSOLL_KEY_VAULT_URI: 'https://contoso.vault.azure.net',
};
// design/contracts.md, "Settings"
const contractRegistries = [
  {
    host: 'contoso.azurecr.io',
    aliases: [],
    environment: 'production',
    auth: {
      kind: 'entra',
      tenantId: '72f988bf-86f1-41af-91ab-2d7cd011db47',
      clientId: '11111111-2222-3333-4444-555555555555',
    },
    webhookTokenSecret: 'acr-webhook',
  },
  {
    host: 'Registry.Example:5000',
    environment: 'test',
    auth: { kind: 'basic', userSecret: 'user', passwordSecret: 'password' },
  },
  { host: 'docker.io', environment: 'public', auth: { kind: 'anonymous' } },
];

describe('settings', () => {
  it('need four addresses and default the rest', () => {
    expect(readSettings(onAzure)).toEqual({
      queueServiceUri: 'https://contoso.queue.core.windows.net',
      blobServiceUri: 'https://contoso.blob.core.windows.net',
      cosmosEndpoint: 'https://contoso.documents.azure.com',
      cosmosDatabase: 'plimsoll',
      keyVaultUri: 'https://contoso.vault.azure.net',
      registries: { registries: [] },
      advisoriesUrl: 'https://osv-vulnerabilities.storage.googleapis.com',
      timings: defaultTimings,
      allowLoopback: false,
    });
  });

  it('are all in the table, under one prefix, each with its meaning', () => {
    expect(settingTable.length).toBeGreaterThan(8);
    for (const row of settingTable) {
      expect(row.name).toMatch(/^PLIMSOLL_[A-Z]+(_[A-Z]+)*$/);
      expect(row.meaning.length).toBeGreaterThan(10);
      expect(row.name).not.toMatch(/_(KEY|SECRET|PASSWORD|CONNECTION_?STRING|TOKEN|SAS)$/);
    }
  });

  it.for(settingTable.filter((row) => row.isRequired).map((row) => row.name))(
    'name %s where it is missing',
    (name) => {
      for (const value of [undefined, '', '  ']) {
        expect(errorOf({ ...onAzure, [name]: value }).message).toContain(`setting ${name}: it is missing`);
      }
    },
  );

  it('take the registries of the contract', () => {
    const { registries } = readSettings({
      ...onAzure,
      PLIMSOLL_REGISTRIES: JSON.stringify(contractRegistries),
    });
    expect(registries.loopback).toBeUndefined();
    expect(registries.registries).toEqual([
      contractRegistries[0],
      { ...contractRegistries[1], host: 'registry.example:5000', aliases: [] },
      { ...contractRegistries[2], aliases: [] },
    ]);
  });

  it('let loopback registries count only on one machine', () => {
    const local = readSettings({ ...onAzure, PLIMSOLL_ALLOW_LOOPBACK: 'true' });
    expect(local.registries.loopback).toMatchObject({ environment: 'local', auth: { kind: 'anonymous' } });
  });

  it('override single timings', () => {
    const { timings } = readSettings({
      ...onAzure,
      PLIMSOLL_TIMINGS: '{"claimLeaseMs":1000,"deliveryDelaysMs":[1,2]}',
    });
    expect(timings).toEqual({ ...defaultTimings, claimLeaseMs: 1000, deliveryDelaysMs: [1, 2] });
  });

  it.for<[string, string, RegExp]>([
    ['PLIMSOLL_QUEUE_SERVICE_URI', 'http://contoso.queue.core.windows.net', /https/],
    ['PLIMSOLL_BLOB_SERVICE_URI', 'https://x.blob.core.windows.net/?sv=2024&sig=hunter2', /never by a key/],
    ['PLIMSOLL_COSMOS_ENDPOINT', 'https://user:hunter2@x.documents.azure.com', /never by a key/],
    ['PLIMSOLL_COSMOS_ENDPOINT', 'AccountEndpoint=https://x;AccountKey=hunter2', /https/],
    ['PLIMSOLL_KEY_VAULT_URI', 'https://127.0.0.1:1', /loopback/],
    [
      'PLIMSOLL_KEY_VAULT_URI',
      '@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/n/)',
      /not resolved/,
    ],
    ['PLIMSOLL_ALLOW_LOOPBACK', 'yes', /true or false/],
    ['PLIMSOLL_ADVISORIES_URL', 'http://example.com/osv', /https/],
    ['PLIMSOLL_ADVISORIES_URL', '/var/osv', /https/],
    ['PLIMSOLL_ISSUER', 'login.microsoftonline.com', /https/],
    ['PLIMSOLL_TIMINGS', '{"claimLeaseMs":"1s"}', /claimLeaseMs/],
    ['PLIMSOLL_TIMINGS', '{"claimLease":1}', /claimLease/],
    ['PLIMSOLL_TIMINGS', '{"claimLeaseMs":-1}', /claimLeaseMs/],
    ['PLIMSOLL_REGISTRIES', 'hunter2', /JSON/],
    ['PLIMSOLL_REGISTRIES', '{}', /array/],
    [
      'PLIMSOLL_REGISTRIES',
      '[{"host":"https://a.io","environment":"e","auth":{"kind":"anonymous"}}]',
      /0\.host/,
    ],
    ['PLIMSOLL_REGISTRIES', '[{"host":"a.io","environment":"e","auth":{"kind":"bearer"}}]', /0\.auth\.kind/],
    [
      'PLIMSOLL_REGISTRIES',
      '[{"host":"a.io","environment":"e","auth":{"kind":"basic","user":"u","password":"hunter2"}}]',
      /0\.auth/,
    ],
    [
      'PLIMSOLL_REGISTRIES',
      '[{"host":"a.io","environment":"e","auth":{"kind":"anonymous"},"token":"hunter2"}]',
      /token/,
    ],
    [
      'PLIMSOLL_REGISTRIES',
      '[{"host":"a.io","environment":"e","auth":{"kind":"entra","tenantId":"72f988bf-86f1-41af-91ab-2d7cd011db47"}}]',
      /together/,
    ],
    [
      'PLIMSOLL_REGISTRIES',
      '[{"host":"a.io","environment":"e","auth":{"kind":"anonymous"},"webhookTokenSecret":"subscription-a"}]',
      /subscription-/,
    ],
    [
      'PLIMSOLL_REGISTRIES',
      '[{"host":"localhost:5000","environment":"e","auth":{"kind":"anonymous"}}]',
      /loopback/,
    ],
    [
      'PLIMSOLL_REGISTRIES',
      '[{"host":"a.io","aliases":["A.io"],"environment":"e","auth":{"kind":"anonymous"}}]',
      /twice/,
    ],
  ])('refuse %s = %s', ([name, value, expected]) => {
    const error = errorOf({ ...onAzure, [name]: value });
    expect(error.code).toBe('INVALID_SETTING');
    expect(error.message).toMatch(expected);
    expect(error.message).toContain(`setting ${name}: `);
    expect(error.message).not.toContain('\n');
    expect(`${error.message} ${String(error.cause)}`).not.toContain('hunter2');
  });
});

function errorOf(env: Readonly<Record<string, string | undefined>>): PlimsollError {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof PlimsollError) return error;
    throw error;
  }
  throw new Error('the settings were taken');
}
