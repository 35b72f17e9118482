/** `GET /api/gate`: may this image run, now, there? */
import { mapConcurrently } from '../base/map-concurrently.ts';
import type { Digest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { type Place, placeKey } from '../domain/place.ts';
import { parseReference, type Reference } from '../domain/reference.ts';
import { findRegistry } from '../domain/registry-setting.ts';
import { type Decision, type Reason, worstDecision } from '../domain/verdict.ts';
import { type ImageEvent, newEnvelope } from '../pipeline/messages.ts';
import {
  type ImageDocument,
  imageDocumentKey,
  type VerdictDocument,
  verdictKey,
  visibleDecision,
} from '../pipeline/state/images.ts';
import { type PlaceDocument, placeDocumentKey } from '../pipeline/state/places.ts';
import type { ApiContext } from './context.ts';
import { type ApiRequest, type ApiResponse, json } from './http.ts';
import { maxShownLeaves } from './image-view.ts';
import { leavesOf, maxQueriesInFlight } from './index-leaves.ts';
import { resolveTagNow } from './resolved-tags.ts';

interface GateAnswer {
  readonly decision: Decision;
  readonly reasons: readonly Reason[];
  /** When the verdict was judged; of an index the oldest one. null without a verdict. */
  readonly verdictAt: string | null;
  readonly digest: Digest | null;
}

/** Always 200 with a decision where the reference is well-formed and its registry configured: what is not known, or
 *  can't be asked, is `pending`, which lets nothing run. */
export async function askGate(request: ApiRequest, context: ApiContext): Promise<ApiResponse> {
  const reference = parseReference(request.query['reference'] ?? '');
  const place = placeOf(context, reference, request.query['environment']);
  const answer = await answerFor(context, reference, place);
  // An answer is about this moment: nothing in between may keep it.
  return json(200, answer, { 'cache-control': 'no-store' });
}

/** Throws REGISTRY_NOT_CONFIGURED, INVALID_INPUT where the registry belongs to another environment. */
function placeOf(context: ApiContext, reference: Reference, environment: string | undefined): Place {
  const registry = findRegistry(context.pipeline.registries, reference.registry);
  if (registry === undefined) {
    throw new PlimsollError(
      'REGISTRY_NOT_CONFIGURED',
      `${reference.registry} is not configured: add it in PLIMSOLL_REGISTRIES`,
    );
  }
  if (environment !== undefined && environment !== registry.environment) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `environment: ${registry.host} belongs to "${registry.environment}", found "${environment.slice(0, 100)}"`,
    );
  }
  return { registry: registry.host, repository: reference.repository, environment: registry.environment };
}

async function answerFor(context: ApiContext, reference: Reference, place: Place): Promise<GateAnswer> {
  let digest: Digest | undefined;
  try {
    digest = reference.digest ?? (await resolveTagNow(context, place, reference.tag ?? 'latest'));
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    return pending(null, 'registry', error.message);
  }
  if (digest === undefined) {
    return pending(null, 'tag', `${place.registry} has no tag ${reference.tag} in ${place.repository}`);
  }
  const { documents } = context.pipeline.ports;
  const [image, standing] = await Promise.all([
    documents.read<ImageDocument>(imageDocumentKey(digest)),
    documents.read<PlaceDocument>(placeDocumentKey(place, digest)),
  ]);
  // An image is known at a place once it was planned there: its jobs are on the queues, or its verdict stands.
  if (
    image === undefined ||
    standing === undefined ||
    standing.value.state === 'ended' ||
    standing.value.kind === 'unknown'
  ) {
    // What could not even be planned has a verdict that says why; a push or a scan tries again.
    const verdict = (await documents.read<VerdictDocument>(verdictKey(digest, place)))?.value;
    const isFailed = verdict !== undefined && visibleDecision(verdict) === 'error';
    if (isFailed) return { ...combined([verdict]), digest };
    await enqueueOnce(context, reference, place, digest);
    return pending(digest, 'unknown', 'the image was not scanned here yet: it is enqueued');
  }
  if (image.value.kind === 'artifact') {
    const message = `${digest} is no image but an artifact of type ${image.value.artifactType}`;
    return { decision: 'error', reasons: [{ rule: 'artifact', message }], verdictAt: null, digest };
  }
  const digests = image.value.kind === 'image' ? [digest] : await imagesOf(context, image.value);
  if (digests === undefined) return pending(digest, 'index', 'the index names too many images');
  const verdicts = await mapConcurrently(
    digests,
    maxQueriesInFlight,
    async (one) => (await documents.read<VerdictDocument>(verdictKey(one, place)))?.value,
  );
  return { ...combined(verdicts), digest };
}

/** The images of an index; what was not read yet counts as one, artifacts do not. */
async function imagesOf(
  context: ApiContext,
  index: Extract<ImageDocument, { kind: 'index' }>,
): Promise<readonly Digest[] | undefined> {
  const leaves = await leavesOf(context.pipeline, index, maxShownLeaves);
  return leaves?.filter((leaf) => leaf.image?.kind !== 'artifact').map((leaf) => leaf.digest);
}

/** The worst of the verdicts with the reasons of those that are so bad; any of the images may be the one that runs. */
function combined(verdicts: readonly (VerdictDocument | undefined)[]): Omit<GateAnswer, 'digest'> {
  const decisions = verdicts.map((verdict) => (verdict === undefined ? 'pending' : visibleDecision(verdict)));
  const decision = worstDecision(decisions);
  const worst = verdicts.filter((_verdict, index) => decisions[index] === decision);
  const reasons = new Map(worst.flatMap(reasonsOf).map((reason) => [JSON.stringify(reason), reason]));
  const times = verdicts.flatMap((verdict) => verdict?.judged?.judgedAt ?? []).sort();
  return { decision, reasons: [...reasons.values()].slice(0, maxReasons), verdictAt: times[0] ?? null };
}

const maxReasons = 100;

function reasonsOf(verdict: VerdictDocument | undefined): readonly Reason[] {
  if (verdict === undefined || verdict.ended !== null) {
    return [{ rule: 'pending', message: 'the image was not judged here yet' }];
  }
  if (verdict.judged !== null) return verdict.judged.summary.reasons;
  const error = verdict.error;
  return error === null ? [] : [{ rule: 'error', message: `${error.step}: ${error.cause}` }];
}

function pending(digest: Digest | null, rule: string, message: string): GateAnswer {
  return { decision: 'pending', reasons: [{ rule, message }], verdictAt: null, digest };
}

/** How long the gate does not enqueue the same image again, in milliseconds: who waits asks every second. */
const enqueueAgainMs = 60_000;
const maxEnqueued = 10_000;

async function enqueueOnce(
  context: ApiContext,
  reference: Reference,
  place: Place,
  digest: Digest,
): Promise<void> {
  const { queues, clock } = context.pipeline.ports;
  const { enqueued } = context.caches;
  const key = `${placeKey(place)} ${digest}`;
  const nowMs = clock.now().getTime();
  if (nowMs - (enqueued.get(key) ?? Number.NEGATIVE_INFINITY) < enqueueAgainMs) return;
  await queues.send('image-events', {
    ...newEnvelope(clock.now()),
    kind: 'push',
    registry: place.registry,
    repository: place.repository,
    digest,
    ...(reference.tag === undefined ? {} : { tag: reference.tag }),
  } satisfies ImageEvent);
  if (enqueued.size >= maxEnqueued) enqueued.clear();
  enqueued.set(key, nowMs);
}
