/** Native webhooks of Azure Container Registry (container-registry-webhook-reference; quarantine: Azure/acr preview). */
import {
  imageEvent,
  malformed,
  type ParsedNotification,
  type RegistryEvent,
  registryNoticeSchema,
  shown,
  unusable,
  type WebhookParser,
} from './contract.ts';

/** One event a body. A ping has no documented body: whatever names no target and no other action is taken for one. */
export const acrParser: WebhookParser = { kind: 'acr', parse };

function parse(body: unknown): ParsedNotification {
  return { events: [readEvent(body)] };
}

function readEvent(body: unknown): RegistryEvent {
  const parsed = registryNoticeSchema.safeParse(body);
  if (!parsed.success) return malformed('malformed-body', parsed.error);
  const notice = parsed.data;
  if (notice.action === 'ping' || (!notice.action && !notice.target))
    return { kind: 'noise', reason: 'ping' };
  switch (notice.action) {
    // With quarantine switched on this is the only event until the image is released.
    case 'quarantine':
    case 'push':
      return imageEvent('push', notice);
    case 'delete':
      return imageEvent('delete', notice);
    case 'chart_push':
    case 'chart_delete':
      return unusable(
        'helm-chart',
        `${notice.action} is about a Helm chart of the legacy kind, which is no image`,
      );
    default:
      return unusable(
        'unknown-action',
        `expected push, delete, quarantine or ping, found ${shown(notice.action ?? '')}`,
      );
  }
}
