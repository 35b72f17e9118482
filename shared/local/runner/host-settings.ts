/** What the runner takes from an app's host.json, with the host's own defaults. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PlimsollError } from '../../domain/errors.ts';

export interface HostSettings {
  /** First part of every HTTP route, without slashes; may be empty. */
  readonly routePrefix: string;
  /** Messages taken at once. */
  readonly batchSize: number;
  /** More are taken when no more than so many are still running. */
  readonly newBatchThreshold: number;
  /** Tries before a message goes to `<queue>-poison`. */
  readonly maxDequeueCount: number;
  /** Delay before a failed message is tried again. */
  readonly visibilityTimeoutMs: number;
  readonly messageEncoding: 'base64' | 'none';
}

const timeSpan = z
  .string()
  .regex(/^\d{2}:\d{2}:\d{2}$/)
  .transform((text) => {
    const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
    return ((hours * 60 + minutes) * 60 + seconds) * 1000;
  });

const schema = z.object({
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().optional() }).optional(),
      queues: z
        .object({
          batchSize: z.int().min(1).max(32).optional(),
          newBatchThreshold: z.int().min(0).optional(),
          maxDequeueCount: z.int().min(1).optional(),
          visibilityTimeout: timeSpan.optional(),
          messageEncoding: z.enum(['base64', 'none']).optional(),
        })
        .optional(),
    })
    .optional(),
});

/** Reads host.json of an app. Throws INVALID_SETTING where it is absent or holds something else. */
export async function readHostSettings(appDir: string): Promise<HostSettings> {
  const path = join(appDir, 'host.json');
  const parsed = schema.safeParse(await readJson(path));
  if (!parsed.success) {
    throw new PlimsollError(
      'INVALID_SETTING',
      `expected the settings of a host in ${path}: ${parsed.error.message}`,
    );
  }
  const { http, queues } = parsed.data.extensions ?? {};
  return {
    routePrefix: (http?.routePrefix ?? 'api').replace(/^\/+|\/+$/g, ''),
    batchSize: queues?.batchSize ?? 16,
    newBatchThreshold: queues?.newBatchThreshold ?? 8,
    maxDequeueCount: queues?.maxDequeueCount ?? 5,
    visibilityTimeoutMs: queues?.visibilityTimeout ?? 0,
    messageEncoding: queues?.messageEncoding ?? 'base64',
  };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new PlimsollError('INVALID_SETTING', `expected JSON in ${path}, found: ${message}`, {
      cause: error,
    });
  }
}
