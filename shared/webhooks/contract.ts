/** What a parser of registry notifications makes of them, and the reading that all kinds have in common. */
import { z } from 'zod';
import { type Digest, parseDigest } from '../domain/digest.ts';
import { isRegistryHost, isRepository, isTag } from '../domain/reference.ts';

/** Why an event can't be used; docs/api.md explains each. */
export const unusableReasons = [
  'malformed-body',
  'malformed-event',
  'unknown-action',
  'helm-chart',
  'invalid-registry',
  'invalid-repository',
  'unsupported-digest',
  'no-tag-or-digest',
  'too-many-events',
] as const;

export type UnusableReason = (typeof unusableReasons)[number];

/** Where the event says that it happened; checked for its form and nothing else: it comes from outside. */
export interface EventPlace {
  /** Host as sent, in lower case; absent where the notification names none. */
  readonly registry?: string;
  readonly repository: string;
}

export interface PushEvent extends EventPlace {
  readonly kind: 'push';
  readonly tag?: string;
  /** Absent where the sender names none or one that is no sha256: then the tag is there. */
  readonly digest?: Digest;
  /** As the sender wrote it; absent means unknown, until the manifest is read. */
  readonly mediaType?: string;
  readonly eventId?: string;
}

/** A deleted manifest (digest), an untagging (tag alone) or a deleted repository (neither). */
export interface DeleteEvent extends EventPlace {
  readonly kind: 'delete';
  readonly tag?: string;
  readonly digest?: Digest;
  readonly eventId?: string;
}

/** Understood, and nothing is to be done. */
export interface NoiseEvent {
  readonly kind: 'noise';
  readonly reason: 'ping' | 'pull' | 'mount' | 'blob' | 'handshake';
}

/** An event that can't be acted on: recorded with its reason, counted and shown. */
export interface UnusableEvent {
  readonly kind: 'unusable';
  readonly reason: UnusableReason;
  /** One line for a person: what was expected and what was found, cut to a bounded length. */
  readonly detail: string;
  readonly registry?: string;
  readonly repository?: string;
  readonly eventId?: string;
}

export type RegistryEvent = PushEvent | DeleteEvent | NoiseEvent | UnusableEvent;

export interface ParsedNotification {
  readonly events: readonly RegistryEvent[];
}

/** Reads the notifications of one kind of sender. Pure, never throws: what is wrong becomes an unusable event. */
export interface WebhookParser {
  readonly kind: string;
  parse(body: unknown): ParsedNotification;
}

/** Most events of one notification that are read (Event Grid batches at most 5,000); the rest is one unusable event. */
export const maxEventsPerNotification = 5_000;

const maxTextLength = 2_048;
const maxShownLength = 120;

/** A field that decides what is done: another type makes the event unusable. */
const text = z.string().max(maxTextLength).nullish();
/** A field that only helps: another type counts as absent, for it must not cost a push. */
const hint = text.catch(undefined);

/** What an event of ACR and of Distribution has in common; only the fields that are used. Distribution events
 *  (notifications/event.go) and ACR's webhook reference share this shape, for ACR grew out of Distribution. */
export const registryNoticeSchema = z.object({
  id: hint,
  action: text,
  target: z.object({ mediaType: hint, digest: text, repository: text, tag: text, url: hint }).nullish(),
  request: z.object({ host: hint }).nullish().catch(undefined),
});

export type RegistryNotice = z.infer<typeof registryNoticeSchema>;

/** The events of a list, each read by `read`; one that throws off the schema spoils none of the others. */
export function readEvents(
  list: readonly unknown[],
  read: (event: unknown) => RegistryEvent,
): ParsedNotification {
  const events = list.slice(0, maxEventsPerNotification).map(read);
  if (list.length > maxEventsPerNotification) {
    events.push(
      unusable(
        'too-many-events',
        `expected at most ${maxEventsPerNotification} events in one notification, found ${list.length}: the rest was not read`,
      ),
    );
  }
  return { events };
}

/** The push or delete that a notice tells of, its parts checked for their form. */
export function imageEvent(kind: 'push' | 'delete', notice: RegistryNotice, host?: string): RegistryEvent {
  const target = notice.target ?? {};
  const registry = (notice.request?.host || host || '').toLowerCase();
  const repository = target.repository ?? '';
  const eventId = notice.id ? { eventId: notice.id.slice(0, maxShownLength) } : {};
  if (registry !== '' && !isRegistryHost(registry)) {
    return { ...unusable('invalid-registry', `expected a host, found ${shown(registry)}`), ...eventId };
  }
  const where = registry === '' ? {} : { registry };
  if (!isRepository(repository)) {
    const detail = `expected a repository name in target.repository, found ${shown(repository)}`;
    return { ...unusable('invalid-repository', detail), ...where, ...eventId };
  }
  const tag = target.tag && isTag(target.tag) ? { tag: target.tag } : {};
  const parsed = target.digest ? parseDigest(target.digest) : undefined;
  const digest = parsed === undefined ? {} : { digest: parsed };
  const named = { ...where, repository, ...tag, ...digest, ...eventId };
  // A digest that can't be verified still leaves the tag, which the registry is asked about anyway. A delete of such a
  // digest must not turn into the delete of a whole repository.
  if (target.digest && parsed === undefined && !('tag' in tag)) {
    const detail = `expected a sha256 digest in target.digest, found ${shown(target.digest)}`;
    return { ...unusable('unsupported-digest', detail), ...where, repository, ...eventId };
  }
  const namesNothing = parsed === undefined && !('tag' in tag);
  if (namesNothing && (kind === 'push' || target.tag)) {
    const detail = `expected target.tag or target.digest, found the tag ${shown(target.tag ?? '')}`;
    return { ...unusable('no-tag-or-digest', detail), ...where, repository, ...eventId };
  }
  if (kind === 'delete') return { kind, ...named };
  return { kind, ...named, ...(target.mediaType ? { mediaType: target.mediaType } : {}) };
}

/** An unusable event. */
export function unusable(reason: UnusableReason, detail: string): UnusableEvent {
  return { kind: 'unusable', reason, detail };
}

/** What is wrong with an event that does not fit its schema. */
export function malformed(reason: 'malformed-body' | 'malformed-event', error: z.ZodError): UnusableEvent {
  const issue = error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? 'it' : issue.path.map(String).join('.');
  return unusable(reason, `${shown(where)}: ${(issue?.message ?? 'another shape').slice(0, maxShownLength)}`);
}

/** A text of a stranger as it may stand in a message: quoted, cut, without control characters. */
export function shown(value: string): string {
  return JSON.stringify(value.slice(0, maxShownLength));
}
