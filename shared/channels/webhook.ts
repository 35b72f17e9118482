/** The signed webhook after Standard Webhooks (spec 1.0): JSON `{type, timestamp, data}` and three headers. */
import { Webhook } from 'standardwebhooks';
import { type Change, changeKinds } from '../domain/change.ts';
import { PlimsollError } from '../domain/errors.ts';
import { severityRank } from '../domain/severity.ts';
import { tool } from '../domain/tool.ts';
import type { Channel, ChannelRequest, DeliveryContent, DeliveryTry, ImageChanges } from './contract.ts';

export const webhookChannel: Channel = { kind: 'webhook', render, request };

/** Most bytes of a body as UTF-8 (Standard Webhooks, "Payload structure": under 20 kB). */
export const maxBodyBytes = 20_000;

/** The gravest changes that fit, in the order of the content; the others are counted as `omitted`, by image and in all,
 *  and the links lead to them. */
function render(content: DeliveryContent): string {
  const { images, publicUrl } = content;
  const subscription = { id: content.subscription.id, name: content.subscription.name };
  if (images === undefined) {
    const message = 'This is a test message: Plimsoll reaches this receiver.';
    return bodyOf('subscription.test', content.timestamp, { subscription, message });
  }
  const changeCount = images.reduce((sum, image) => sum + image.changes.length, 0);
  const deliveries =
    publicUrl === undefined ? null : `${publicUrl}/subscriptions/${subscription.id}/deliveries`;
  const whole = (omitted: number, rendered: readonly object[]) =>
    bodyOf('verdict.changed', content.timestamp, {
      subscription,
      changeCount,
      omitted,
      links: { deliveries },
      images: rendered,
    });
  const kept = fit(images, publicUrl, maxBodyBytes - sizeOf(whole(changeCount, [])));
  const rendered = images.flatMap((image, index) => {
    const changes = kept.get(index)?.toSorted((a, b) => a.index - b.index);
    if (changes === undefined) return [];
    const omitted = image.changes.length - changes.length;
    return [{ ...headOf(image, publicUrl, omitted), changes: changes.map((one) => one.rendered) }];
  });
  const keptCount = [...kept.values()].reduce((sum, changes) => sum + changes.length, 0);
  return whole(changeCount - keptCount, rendered);
}

function request(attempt: DeliveryTry): ChannelRequest {
  const { deliveryId, url, body, now } = attempt;
  const signatures = keysOf(attempt.secret).map((key) => key.sign(deliveryId, now, body));
  return {
    url,
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': `${tool.name}/${tool.version}`,
      'webhook-id': deliveryId,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': signatures.join(' '),
    },
  };
}

/** Least bytes of a key (Standard Webhooks, "Symmetric": 24 to 64 bytes). */
const minKeyBytes = 24;

/** One key for each word of the secret: a receiver can bring in a new one before the old one goes. `whsec_` and base64
 *  as the scheme has it, or plain text whose UTF-8 bytes are the key. */
function keysOf(secret: string): readonly Webhook[] {
  const keys = secret
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(keyBytesOf);
  if (keys.length === 0 || keys.some((key) => key === undefined || key.byteLength < minKeyBytes)) {
    throw new PlimsollError(
      'INVALID_SETTING',
      `the subscription's secret can sign nothing: expected whsec_ and the base64 of at least ${minKeyBytes} bytes, or at least ${minKeyBytes} characters`,
    );
  }
  return keys.flatMap((key) => (key === undefined ? [] : [new Webhook(key, { format: 'raw' })]));
}

function keyBytesOf(word: string): Uint8Array | undefined {
  if (!word.startsWith('whsec_')) return Buffer.from(word);
  const base64 = word.slice('whsec_'.length);
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined;
}

interface KeptChange {
  /** Place among the changes of its image. */
  readonly index: number;
  readonly rendered: object;
}

/** The changes of each image that fit into so many bytes, by the image's index. */
function fit(
  images: readonly ImageChanges[],
  publicUrl: string | undefined,
  budgetBytes: number,
): ReadonlyMap<number, readonly KeptChange[]> {
  const kept = new Map<number, KeptChange[]>();
  let leftBytes = budgetBytes;
  const all = images.flatMap((image, imageIndex) =>
    image.changes.map((change, index) => ({ image, imageIndex, index, change })),
  );
  for (const { image, imageIndex, index, change } of all.sort((a, b) => gravest(a.change, b.change))) {
    const rendered = renderChange(change);
    const head = { ...headOf(image, publicUrl, image.changes.length), changes: [] };
    // One byte for the comma that parts it from its neighbour.
    const headBytes = kept.has(imageIndex) ? 0 : sizeOf(JSON.stringify(head)) + 1;
    leftBytes -= headBytes + sizeOf(JSON.stringify(rendered)) + 1;
    if (leftBytes < 0) break;
    const changes = kept.get(imageIndex) ?? [];
    kept.set(imageIndex, changes);
    changes.push({ index, rendered });
  }
  return kept;
}

/** Decisions first, then by severity, then by kind. */
function gravest(a: Change, b: Change): number {
  return (
    Number(b.kind === 'decision') - Number(a.kind === 'decision') ||
    rankOf(b) - rankOf(a) ||
    changeKinds.indexOf(a.kind) - changeKinds.indexOf(b.kind)
  );
}

function rankOf(change: Change): number {
  return change.severity === undefined ? 0 : severityRank(change.severity);
}

function headOf(image: ImageChanges, publicUrl: string | undefined, omitted: number): object {
  const { registry, repository, environment } = image.place;
  const where = new URLSearchParams({ repository: `${registry}/${repository}`, environment });
  return {
    place: { registry, repository, environment },
    digest: image.digest,
    tag: image.tag,
    decision: { before: image.decisionBefore, after: image.decision },
    cause: image.cause,
    links: {
      report:
        publicUrl === undefined ? null : `${publicUrl}/images/${image.digest}/report?${where.toString()}`,
    },
    omitted,
  };
}

/** Longest text of a change in characters: names and versions in it come from images. */
const maxTextLength = 300;

function renderChange(change: Change & { readonly id: string }): object {
  return {
    id: change.id,
    kind: change.kind,
    severity: change.severity ?? null,
    advisory: cut(change.advisory),
    package: cut(change.purl),
    fixedVersion: cut(change.fixedVersion),
    before: cut(change.before),
    after: cut(change.after),
    title: cut(change.title),
  };
}

function cut(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength - 1)}…`;
}

function bodyOf(type: string, timestamp: string, data: object): string {
  return JSON.stringify({ type, timestamp, data });
}

function sizeOf(text: string): number {
  return Buffer.byteLength(text);
}
