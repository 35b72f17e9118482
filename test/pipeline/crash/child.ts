/** The functions' process of the crash test: the real steps over ports that live in the test's process. */
import { randomUUID } from 'node:crypto';
import { receiveWebhook } from '../../../shared/api/receive-webhook.ts';
import { createWebhookTokens } from '../../../shared/api/webhook-tokens.ts';
import { catalogers } from '../../../shared/catalogers/registry.ts';
import { type ErrorCode, PlimsollError } from '../../../shared/domain/errors.ts';
import { newCaches, type PipelineContext } from '../../../shared/pipeline/context.ts';
import { createLayerSlots } from '../../../shared/pipeline/layer-slots.ts';
import { rescanImages } from '../../../shared/pipeline/rescan.ts';
import { sendOldOutboxes } from '../../../shared/pipeline/send-outbox.ts';
import { handleMessage, type StepQueue } from '../../../shared/pipeline/steps.ts';
import { syncAdvisories } from '../../../shared/pipeline/sync-advisories.ts';
import { defaultTimings } from '../../../shared/pipeline/timings.ts';
import { silentLog } from '../../../shared/ports/log.ts';
import type { Ports } from '../../../shared/ports/ports.ts';
import { feedOfRows } from '../feed-of-rows.ts';
import type { ToChild, ToParent, Work } from './protocol.ts';

/** Name of the secret that holds the webhooks' token. */
const webhookTokenSecret = 'webhook-token';

const waiting = new Map<number, (answer: Extract<ToChild, { type: 'answer' | 'failure' }>) => void>();
let calls = 0;
let nowMs = 0;
let context: PipelineContext | undefined;

process.on('message', (message: ToChild) => {
  if (message.type === 'reset') context = createContext();
  else if (message.type === 'work') {
    nowMs = message.nowMs;
    void work(message.work);
  } else {
    if (message.type === 'answer') nowMs = message.nowMs;
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  }
});
process.on('disconnect', () => process.exit(0));
tell({ type: 'ready' });

async function work(task: Work): Promise<void> {
  if (context === undefined) throw new RangeError('work before reset');
  try {
    if (task.kind === 'webhook') tell({ type: 'done', status: await receive(context, task.body) });
    else {
      if (task.kind === 'message') {
        await handleMessage(context, task.queue as StepQueue, task.body, task.dequeueCount);
      } else if (task.kind === 'sync') {
        await syncAdvisories({ ...context, advisoryFeed: feedOfRows(task.advisories) });
      } else if (task.timer === 'send-outbox') await sendOldOutboxes(context);
      else await rescanImages(context);
      tell({ type: 'done' });
    }
  } catch (error) {
    tell({ type: 'done', error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

async function receive(pipeline: PipelineContext, body: string): Promise<number> {
  const { ports, registries } = pipeline;
  const request = {
    method: 'POST',
    params: {},
    query: {},
    headers: { authorization: 'Bearer crash-test-token' },
    body: bytesOf(Buffer.from(body)),
  };
  const tokens = createWebhookTokens(ports);
  const response = await receiveWebhook('distribution', request, { ...ports, registries, tokens });
  return response.status;
}

async function* bytesOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function createContext(): PipelineContext {
  return {
    ports: remotePorts(),
    timings: defaultTimings,
    registries: {
      registries: [],
      loopback: { environment: 'test', auth: { kind: 'anonymous' }, webhookTokenSecret },
    },
    catalogers,
    toolVersion: 'test',
    newId: randomUUID,
    layerSlots: createLayerSlots(2),
    advisoryFeed: undefined,
    publicUrl: undefined,
    caches: newCaches(),
  };
}

function remotePorts(): Ports {
  const registries = remotePort('registries') as Ports['registries'];
  const openBlob: Ports['registries']['openBlob'] = async (where, digest) => {
    const blob = await registries.openBlob(where, digest);
    return blob && { ...blob, bytes: bytesOf(...(blob.bytes as unknown as Uint8Array[])) };
  };
  return {
    queues: remotePort('queues') as Ports['queues'],
    documents: remotePort('documents') as Ports['documents'],
    blobs: remotePort('blobs') as Ports['blobs'],
    secrets: remotePort('secrets') as Ports['secrets'],
    sender: remotePort('sender') as Ports['sender'],
    registries: { ...registriesOf(registries), openBlob },
    clock: { now: () => new Date(nowMs) },
    log: silentLog,
  };
}

function registriesOf(port: Ports['registries']): Omit<Ports['registries'], 'openBlob'> {
  return {
    resolveTag: port.resolveTag,
    manifest: port.manifest,
    hasManifest: port.hasManifest,
    hasBlob: port.hasBlob,
    blob: port.blob,
  };
}

/** Every method of the port, whatever its name, becomes a call that the test's process sees before and after. */
function remotePort(port: string): object {
  return new Proxy(
    {},
    {
      get: (_target, method) => (typeof method === 'string' ? callOf(port, method) : undefined),
    },
  );
}

function callOf(port: string, method: string): (...args: unknown[]) => Promise<unknown> {
  return (...args) =>
    new Promise((resolve, reject) => {
      calls += 1;
      const id = calls;
      waiting.set(id, (answer) => {
        if (answer.type === 'answer') {
          resolve(answer.result);
          return;
        }
        const { code, message, retryable } = answer.error;
        reject(
          code === undefined
            ? new Error(message)
            : new PlimsollError(code as ErrorCode, message, { retryable }),
        );
      });
      tell({ type: 'call', id, port, method, args });
    });
}

function tell(message: ToParent): void {
  process.send?.(message);
}
