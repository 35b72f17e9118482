/** Which registry a host means. */
import { describe, expect, it } from 'vitest';
import { findRegistry, type RegistrySettings } from '../../shared/domain/registry-setting.ts';

const acr = {
  host: 'contoso.azurecr.io',
  aliases: ['registry.contoso.com', '10.0.0.4:5000'],
  environment: 'production',
  auth: { kind: 'entra' },
} as const;
const listedOnly: RegistrySettings = { registries: [acr] };
const withLoopback: RegistrySettings = {
  registries: [acr],
  loopback: { environment: 'local', auth: { kind: 'anonymous' }, webhookTokenSecret: 'webhook-token' },
};

describe('findRegistry', () => {
  it.each(['contoso.azurecr.io', 'CONTOSO.azurecr.io', 'Registry.Contoso.com', '10.0.0.4:5000'])(
    '%s means the configured registry',
    (host) => {
      expect(findRegistry(listedOnly, host)).toBe(acr);
    },
  );

  it.each([
    'evil.azurecr.io',
    'contoso.azurecr.io.evil.com',
    'contoso.azurecr.io:443',
    '10.0.0.4',
    '',
    'localhost:5000',
  ])('%s means none', (host) => {
    expect(findRegistry(listedOnly, host)).toBeUndefined();
  });

  it('every loopback host counts where the settings say so, under its own name', () => {
    expect(findRegistry(withLoopback, 'LocalHost:5000')).toEqual({
      host: 'localhost:5000',
      aliases: [],
      environment: 'local',
      auth: { kind: 'anonymous' },
      webhookTokenSecret: 'webhook-token',
    });
    expect(findRegistry(withLoopback, 'evil.com')).toBeUndefined();
  });
});

describe('where loopback registries count', () => {
  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.255.255.254:80', true],
    ['[::1]:5000', true],
    ['127.0.0.256', false],
    ['127.0.0.01', false],
    ['127.1', false],
    ['0x7f.0.0.1', false],
    ['127.0.0.1.evil.com', false],
    ['localhost.evil.com', false],
    ['evil.com#localhost', false],
    ['0.0.0.0', false],
    ['10.0.0.1', false],
  ])('%s counts: %s', (host, expected) => {
    expect(findRegistry(withLoopback, host) !== undefined).toBe(expected);
  });
});
