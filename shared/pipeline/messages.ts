/** The messages between the steps: ids only, so that none comes near the size limit of a queue. */
import { z } from 'zod';
import { type Digest, parseDigest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && parseDigest(value) !== undefined);
const place = z.object({ registry: z.string(), repository: z.string(), environment: z.string() });

const envelope = {
  /** The moment that the verdict is about; set once at intake or per rescan run. RFC 3339. */
  asOf: z.string(),
  /** How often the message was put back. */
  attempt: z.number().int().min(0),
  firstEnqueuedAt: z.string(),
  /** Since when the registry has answered that it has no such thing; absent where it has not. */
  missingSince: z.string().optional(),
  /** Why a message stands on a poison queue; absent where the host moved it. */
  cause: z.string().optional(),
};

/** The move of a tag that a job came from: who judges must see the tag at least there. */
const arrival = z.object({ tag: z.string(), sequence: z.number().int() }).optional();

/** `image-events`: what a registry told or a person asked for. */
export const imageEventSchema = z.discriminatedUnion('kind', [
  z.object({
    ...envelope,
    kind: z.literal('push'),
    registry: z.string(),
    repository: z.string(),
    tag: z.string().optional(),
    digest: digest.optional(),
    /** Set where an index brought the image: the move of the index's tag. */
    arrival,
  }),
  z.object({
    ...envelope,
    kind: z.literal('delete'),
    registry: z.string(),
    repository: z.string(),
    tag: z.string().optional(),
    digest: digest.optional(),
    /** True for the second look at a delete, when all that stood before the first one is visible. */
    again: z.boolean().optional(),
  }),
  z.object({
    ...envelope,
    kind: z.literal('ignored'),
    registry: z.string().optional(),
    repository: z.string().optional(),
    /** Short machine-readable word: `unknown-registry`, `malformed-json`, `too-large` … */
    reason: z.string(),
    detail: z.string().optional(),
    /** Id that makes a repeat of the same event the same record. */
    eventId: z.string().optional(),
  }),
]);

export type ImageEvent = z.infer<typeof imageEventSchema>;
export type PushEvent = Extract<ImageEvent, { kind: 'push' }>;

/** `layer-jobs` and `refresh-jobs`: one layer of one image at one place. */
export const layerJobSchema = z.object({
  ...envelope,
  place,
  imageDigest: digest,
  layerDigest: digest,
  arrival,
});

export type LayerJob = z.infer<typeof layerJobSchema>;

/** What made an image be judged, told with its changes. */
export const causeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('push') }),
  z.object({ kind: z.literal('rescan'), run: z.string() }),
]);

export type Cause = z.infer<typeof causeSchema>;

/** Revisions that a job is about: an instance that still reads older ones waits until it sees these. */
export const leastRevisionsSchema = z.object({
  advisories: z.number().int().min(0),
  policy: z.number().int().min(0),
  exceptions: z.number().int().min(0),
});

export type LeastRevisions = z.infer<typeof leastRevisionsSchema>;

/** `judge-jobs`: one image at one place. */
export const judgeJobSchema = z.object({
  ...envelope,
  place,
  imageDigest: digest,
  arrival,
  judgeCause: causeSchema,
  /** Absent where any revision will do: a push is judged by what is in force. */
  least: leastRevisionsSchema.optional(),
});

export type JudgeJob = z.infer<typeof judgeJobSchema>;

/** `rescan-pages`: names (run, shard, cursor), never the images. */
export const rescanPageSchema = z.object({
  ...envelope,
  run: z.string(),
  shard: z.string(),
  cursor: z.string().optional(),
  least: leastRevisionsSchema,
});

export type RescanPage = z.infer<typeof rescanPageSchema>;

/** `deliveries`: send one delivery, or gather what a rescan has for a subscription. */
export const deliveryJobSchema = z.discriminatedUnion('kind', [
  z.object({
    ...envelope,
    kind: z.literal('send'),
    subscriptionId: z.string(),
    deliveryId: z.string(),
    /** Number of the try that the delivery document must be at. */
    tryNumber: z.number().int().min(0),
  }),
  z.object({ ...envelope, kind: z.literal('flush'), subscriptionId: z.string(), run: z.string() }),
]);

export type DeliveryJob = z.infer<typeof deliveryJobSchema>;

/** The parts of a message that every kind has, for a new one. */
export interface Envelope {
  readonly asOf: string;
  readonly attempt: number;
  readonly firstEnqueuedAt: string;
}

/** A fresh envelope. */
export function newEnvelope(now: Date, asOf = now.toISOString()): Envelope {
  return { asOf, attempt: 0, firstEnqueuedAt: now.toISOString() };
}

/** The message as the schema wants it. Throws INVALID_INPUT naming the queue: such a message can never be used. */
export function parseMessage<T>(schema: z.ZodType<T>, queue: string, message: unknown): T {
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PlimsollError(
    'INVALID_INPUT',
    `message on ${queue} has another shape at ${issue?.path.join('.') || '(root)'}: ${issue?.message ?? 'unknown'}`,
    { cause: parsed.error },
  );
}
