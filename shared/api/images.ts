/** `GET /api/images/{digest}` and its report. */
import { type Digest, requireDigest } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { findRegistry } from '../domain/registry-setting.ts';
import type { PipelineContext } from '../pipeline/context.ts';
import { loadReportText } from '../pipeline/reports.ts';
import { type ImageDocument, imageDocumentKey, type VerdictDocument } from '../pipeline/state/images.ts';
import { type PlaceDocument, placeDocumentKey } from '../pipeline/state/places.ts';
import type { ApiContext } from './context.ts';
import { type ApiRequest, type ApiResponse, json } from './http.ts';
import { maxShownLeaves, noSuchPlatform, readVerdicts, viewImage } from './image-view.ts';
import { leavesFor, leavesOf, platformNames } from './index-leaves.ts';
import { type PlaceFilter, readPlaceFilter } from './place-filter.ts';
import { problem } from './problem.ts';

export async function getImage(request: ApiRequest, { pipeline }: ApiContext): Promise<ApiResponse> {
  const digest = readDigest(request);
  const filter = readPlaceFilter(request);
  const view = await viewImage(pipeline, digest, filter);
  if (view === undefined) throw unknownImage(digest);
  const isNarrowed = filter.repository !== undefined || filter.environment !== undefined;
  if (
    isNarrowed &&
    view.kind === 'image' &&
    view.verdicts.length === 0 &&
    !(await standsAt(pipeline, digest, filter))
  ) {
    throw new PlimsollError('NOT_FOUND', `${digest} does not stand at the place that the query names`);
  }
  return json(200, view);
}

/** The report's own bytes. 409 where the query leaves several platforms or places, naming them. */
export async function getReport(request: ApiRequest, { pipeline }: ApiContext): Promise<ApiResponse> {
  const digest = readDigest(request);
  const filter = readPlaceFilter(request);
  const image = (await pipeline.ports.documents.read<ImageDocument>(imageDocumentKey(digest)))?.value;
  if (image === undefined) throw unknownImage(digest);
  if (image.kind === 'artifact') {
    throw new PlimsollError('NOT_FOUND', `${digest} is no image but an artifact: it has no report`);
  }
  if (image.kind === 'image') return reportOf(pipeline, digest, filter);
  const all = (await leavesOf(pipeline, image, maxShownLeaves)) ?? [];
  const platforms = platformNames(all);
  if (filter.platform === undefined) {
    const detail = `${digest} is an index: name one of its platforms with ?platform=`;
    return problem(409, 'PLATFORM_REQUIRED', detail, { members: { platforms } });
  }
  const [leaf, ...others] = leavesFor(all, filter.platform);
  if (leaf === undefined) throw noSuchPlatform(digest, filter, platforms);
  if (others.length > 0) {
    const digests = [leaf, ...others].map((one) => one.digest);
    const detail = `${digest} has several images for the platform: ask for the report of one of them, or name its variant`;
    return problem(409, 'PLATFORM_REQUIRED', detail, { members: { platforms, digests } });
  }
  return reportOf(pipeline, leaf.digest, filter);
}

async function reportOf(context: PipelineContext, digest: Digest, filter: PlaceFilter): Promise<ApiResponse> {
  const verdicts = await readVerdicts(context, digest, filter);
  const standing = verdicts.filter((verdict) => verdict.ended === null);
  const judged = (standing.length > 0 ? standing : verdicts).filter(isJudged);
  const [verdict, ...others] = judged;
  if (verdict === undefined) {
    throw new PlimsollError(
      'NOT_FOUND',
      `there is no report of ${digest} at the place asked for: it was not judged yet`,
    );
  }
  if (others.length > 0) {
    const detail = `${digest} stands at several places: name one with ?repository=registry/repository and environment=`;
    return problem(409, 'CONFLICT', detail, { members: { places: judged.map((one) => one.place) } });
  }
  const { inputsHash } = verdict.judged;
  const text = await loadReportText(context.ports.blobs, verdict.place, { digest, inputsHash });
  if (text === undefined)
    throw new PlimsollError('NOT_FOUND', `the report of ${digest} is gone: scan it again`);
  return { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body: text };
}

function isJudged(verdict: VerdictDocument): verdict is VerdictDocument & { judged: object } {
  return verdict.judged !== null;
}

function readDigest(request: ApiRequest): Digest {
  return requireDigest(request.params['digest'] ?? '', 'digest');
}

function unknownImage(digest: Digest): PlimsollError {
  return new PlimsollError('NOT_FOUND', `${digest} is not known: have it scanned with POST /api/scans`);
}

/** Whether an image that has no verdict yet was seen at the place that the filter names in full. */
async function standsAt(context: PipelineContext, digest: Digest, filter: PlaceFilter): Promise<boolean> {
  const [host = '', ...rest] = (filter.repository ?? '').split('/');
  const registry = findRegistry(context.registries, host);
  if (registry === undefined || rest.length === 0) return false;
  const { environment } = registry;
  if (filter.environment !== undefined && filter.environment !== environment) return false;
  const place = { registry: registry.host, repository: rest.join('/'), environment };
  return (await context.ports.documents.read<PlaceDocument>(placeDocumentKey(place, digest))) !== undefined;
}
