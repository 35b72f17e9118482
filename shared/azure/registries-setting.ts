/** PLIMSOLL_REGISTRIES: which registries there are, and how to sign in to each. */
import { z } from 'zod';
import { isLoopbackHost } from '../base/addresses.ts';
import type { RegistrySetting, RegistrySettings } from '../domain/registry-setting.ts';
import { subscriptionSecretPrefix } from '../domain/subscription.ts';
import { invalidSetting, parseJsonSetting } from './setting-table.ts';

/** On one machine every loopback registry belongs to this environment, and its webhooks show this secret. */
export const loopbackEnvironment = 'local';
export const loopbackWebhookTokenSecret = 'loopback-webhook-token';

/** Throws INVALID_SETTING where the JSON has another shape, a host stands there twice, or a loopback one where it may not. */
export function parseRegistries(json: string, allowLoopback: boolean): RegistrySettings {
  const name = 'PLIMSOLL_REGISTRIES';
  const registries: RegistrySetting[] = parseJsonSetting(name, registriesSchema, json).map(withoutUndefined);
  const seen = new Set<string>();
  for (const registry of registries) {
    for (const one of [registry.host, ...registry.aliases]) {
      if (seen.has(one)) throw invalidSetting(name, `${one} stands there twice: one host means one registry`);
      seen.add(one);
      if (isLoopbackHost(one) && !allowLoopback) {
        throw invalidSetting(
          name,
          `${one} is a loopback address, which only PLIMSOLL_ALLOW_LOOPBACK=true allows`,
        );
      }
    }
  }
  if (!allowLoopback) return { registries };
  return {
    registries,
    loopback: {
      environment: loopbackEnvironment,
      auth: { kind: 'anonymous' },
      webhookTokenSecret: loopbackWebhookTokenSecret,
    },
  };
}

const text = z.string().min(1).max(2_000);
const secretName = z
  .string()
  .regex(/^[0-9A-Za-z-]{1,127}$/, 'expected the name of a secret: 0-9 a-z A-Z - alone')
  // Whoever may make a subscription can have a message signed with any secret of this prefix.
  .refine((name) => !name.toLowerCase().startsWith(subscriptionSecretPrefix), {
    error: `expected a secret whose name does not start with ${subscriptionSecretPrefix}`,
  });
const host = z
  .string()
  .max(300)
  .regex(
    /^(?:[0-9A-Za-z.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/,
    'expected host or host:port without https:// and path',
  )
  .transform((name) => name.toLowerCase());
const guid = z.string().regex(/^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/, 'expected a GUID');

const authSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('anonymous') }),
  z.strictObject({ kind: z.literal('basic'), userSecret: secretName, passwordSecret: secretName }),
  z
    .strictObject({ kind: z.literal('entra'), tenantId: guid.optional(), clientId: guid.optional() })
    .refine((auth) => (auth.tenantId === undefined) === (auth.clientId === undefined), {
      error:
        'expected tenantId and clientId together (an app of another tenant) or neither (the own identity)',
    }),
]);

/** Strict: a property with a typing error must not be passed over in silence. */
const registriesSchema = z
  .array(
    z.strictObject({
      host,
      aliases: z.array(host).max(20).default([]),
      environment: text,
      auth: authSchema,
      webhookTokenSecret: secretName.optional(),
    }),
  )
  .max(200);

type ParsedRegistry = z.infer<typeof registriesSchema>[number];

function withoutUndefined({ auth, webhookTokenSecret, ...rest }: ParsedRegistry): RegistrySetting {
  const token = webhookTokenSecret === undefined ? {} : { webhookTokenSecret };
  if (auth.kind !== 'entra') return { ...rest, auth, ...token };
  const { tenantId, clientId } = auth;
  const app = tenantId === undefined || clientId === undefined ? {} : { tenantId, clientId };
  return { ...rest, auth: { kind: 'entra', ...app }, ...token };
}
