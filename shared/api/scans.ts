/** `POST /api/scans`: scans an image now. */
import { z } from 'zod';
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { formatReference, parseReference, type Reference } from '../domain/reference.ts';
import { findRegistry } from '../domain/registry-setting.ts';
import { type ImageEvent, newEnvelope } from '../pipeline/messages.ts';
import type { ApiContext } from './context.ts';
import { type ApiRequest, type ApiResponse, json, readJsonBody } from './http.ts';

const scanSchema = z.strictObject({ reference: z.string().max(1_000) });

/** 202 with the digest's URL. 404 where the registry has no such image, 502 where it does not answer. */
export async function createScan(request: ApiRequest, context: ApiContext): Promise<ApiResponse> {
  const reference = parseReference((await readJsonBody(request, scanSchema)).reference);
  const registry = findRegistry(context.pipeline.registries, reference.registry);
  if (registry === undefined) {
    throw new PlimsollError(
      'REGISTRY_NOT_CONFIGURED',
      `${reference.registry} is not configured: add it in PLIMSOLL_REGISTRIES`,
    );
  }
  const where = { registry: registry.host, repository: reference.repository };
  const digest = await resolve(context, { ...reference, ...where });
  const { queues, clock } = context.pipeline.ports;
  await queues.send('image-events', {
    ...newEnvelope(clock.now()),
    kind: 'push',
    ...where,
    digest,
    ...(reference.tag === undefined ? {} : { tag: reference.tag }),
  } satisfies ImageEvent);
  const url = `/api/images/${digest}`;
  return json(202, { digest, url }, { location: url });
}

async function resolve(context: ApiContext, reference: Reference): Promise<Digest> {
  const { registries } = context.pipeline.ports;
  const digest =
    reference.digest === undefined
      ? await registries.resolveTag(reference, reference.tag ?? 'latest')
      : (await registries.hasManifest(reference, reference.digest))
        ? reference.digest
        : undefined;
  if (digest === undefined) {
    throw new PlimsollError('NOT_FOUND', `the registry has no image ${formatReference(reference)}`);
  }
  return digest;
}
