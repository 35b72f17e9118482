/** Notifications of Distribution, `registry:2` and `registry:3` (distribution docs, "Work with notifications"). */
import { z } from 'zod';
import { acceptedManifestTypes, refusedManifestTypes } from '../image/media-types.ts';
import {
  imageEvent,
  malformed,
  type ParsedNotification,
  type RegistryEvent,
  type RegistryNotice,
  readEvents,
  registryNoticeSchema,
  shown,
  unusable,
  type WebhookParser,
} from './contract.ts';

/** An envelope with any number of events; blobs, mounts and pulls are noise. */
export const distributionParser: WebhookParser = { kind: 'distribution', parse };

const envelopeSchema = z.object({ events: z.array(z.unknown()) });

function parse(body: unknown): ParsedNotification {
  const parsed = envelopeSchema.safeParse(body);
  if (!parsed.success) return { events: [malformed('malformed-body', parsed.error)] };
  return readEvents(parsed.data.events, readEvent);
}

function readEvent(event: unknown): RegistryEvent {
  const parsed = registryNoticeSchema.safeParse(event);
  if (!parsed.success) return malformed('malformed-event', parsed.error);
  const notice = parsed.data;
  switch (notice.action) {
    case 'pull':
      return { kind: 'noise', reason: 'pull' };
    // Only blobs are mounted.
    case 'mount':
      return { kind: 'noise', reason: 'mount' };
    case 'push':
      return isBlob(notice)
        ? { kind: 'noise', reason: 'blob' }
        : imageEvent('push', notice, hostOfUrl(notice));
    case 'delete':
      return imageEvent('delete', notice, hostOfUrl(notice));
    default:
      return unusable(
        'unknown-action',
        `expected push, delete, pull or mount, found ${shown(notice.action ?? '')}`,
      );
  }
}

/** Whether a push is one of a layer or config. The URL says so; the media type only where there is none, since blobs
 *  come as application/octet-stream or with any type that their descriptor has. */
function isBlob({ target }: RegistryNotice): boolean {
  const kind = /\/(manifests|blobs)\/[^/]+$/.exec(target?.url ?? '')?.[1];
  if (kind !== undefined) return kind === 'blobs';
  // Only manifests have tags; an unknown type is looked at rather than lost.
  if (target?.tag || !target?.mediaType) return false;
  return !acceptedManifestTypes.includes(target.mediaType) && !refusedManifestTypes.has(target.mediaType);
}

function hostOfUrl({ target }: RegistryNotice): string | undefined {
  const url = target?.url ? URL.parse(target.url) : null;
  return url?.host || undefined;
}
