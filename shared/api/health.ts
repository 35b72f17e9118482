/** `GET /api/health`: what works and what does not, for a probe. */
import { PlimsollError } from '../domain/errors.ts';
import { policyKey } from '../pipeline/state/config.ts';
import type { ApiContext, Health } from './context.ts';
import { type ApiRequest, type ApiResponse, json } from './http.ts';

/** Anybody may ask, so the services behind are asked at most so often. */
const healthCacheMs = 5_000;
/** A service that takes longer does not work, for a probe. */
const checkTimeoutMs = 3_000;

/** 200 where queue, documents, blobs and secrets answer, else 503; both with `{status, checks}`. */
export async function getHealth(_request: ApiRequest, context: ApiContext): Promise<ApiResponse> {
  const { caches, pipeline } = context;
  const nowMs = pipeline.ports.clock.now().getTime();
  if (caches.health === undefined || nowMs - caches.health.askedAtMs >= healthCacheMs) {
    caches.health = { askedAtMs: nowMs, result: check(context) };
  }
  const health = await caches.health.result;
  return json(health.status === 'ok' ? 200 : 503, health, { 'cache-control': 'no-store' });
}

async function check({ pipeline }: ApiContext): Promise<Health> {
  const { queues, documents, blobs, secrets } = pipeline.ports;
  const { registries, loopback } = pipeline.registries;
  const secretName = [...registries, loopback].find((one) => one?.webhookTokenSecret)?.webhookTokenSecret;
  const questions: Readonly<Record<string, () => Promise<unknown>>> = {
    queues: () => queues.depth('image-events'),
    documents: () => documents.read(policyKey),
    blobs: () => blobs.exists('reports', 'health'),
    ...(secretName === undefined ? {} : { secrets: () => secrets.read(secretName) }),
  };
  const answers = await Promise.all(
    Object.entries(questions).map(
      async ([name, ask]) => [name, (await isAnswered(ask)) ? 'ok' : 'unavailable'] as const,
    ),
  );
  const isOk = answers.every(([, state]) => state === 'ok');
  return { status: isOk ? 'ok' : 'unavailable', checks: Object.fromEntries(answers) };
}

async function isAnswered(ask: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), checkTimeoutMs);
  });
  try {
    return await Promise.race([ask().then(() => true), late]);
  } catch (error) {
    if (error instanceof PlimsollError) return false;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
