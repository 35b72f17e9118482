/** What a notification says, and what a channel makes of it. */
import type { Change } from '../domain/change.ts';
import type { Digest } from '../domain/digest.ts';
import type { Place } from '../domain/place.ts';
import type { Decision } from '../domain/verdict.ts';

/** The changes of one image at one place. */
export interface ImageChanges {
  readonly place: Place;
  readonly digest: Digest;
  /** The tag under which people know the image; null where none reaches it. */
  readonly tag: string | null;
  /** null for an image of which nothing was known. */
  readonly decisionBefore: Decision | null;
  readonly decision: Decision;
  readonly cause: { readonly kind: 'push' } | { readonly kind: 'rescan'; readonly run: string };
  readonly changes: readonly (Change & { readonly id: string })[];
}

/** Everything that a delivery's body is rendered from; the same content gives the same bytes. */
export interface DeliveryContent {
  readonly subscription: { readonly id: string; readonly name: string };
  /** When the delivery was made, RFC 3339. */
  readonly timestamp: string;
  /** Address of the API for links: `https://…/api`; absent where it is not known. */
  readonly publicUrl?: string | undefined;
  /** Absent for a test message. */
  readonly images?: readonly ImageChanges[];
}

/** One try of one delivery. */
export interface DeliveryTry {
  readonly deliveryId: string;
  /** Where it goes, as the subscription names it. */
  readonly url: string;
  /** As rendered once, before the first try. */
  readonly body: string;
  /** Value of the subscription's secret. */
  readonly secret: string;
  readonly now: Date;
}

/** A POST that is ready to go but for its time limit. */
export interface ChannelRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One way to tell a team. */
export interface Channel {
  readonly kind: string;
  /** The body. Pure and deterministic; bounded in size, whatever the number of changes. */
  render(content: DeliveryContent): string;
  /** The request of one try: a repeat differs in time and signature alone. Throws INVALID_SETTING where the secret
   *  can sign nothing. */
  request(attempt: DeliveryTry): ChannelRequest;
}
