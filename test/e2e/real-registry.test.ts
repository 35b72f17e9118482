/** From `skopeo copy` to Debian's docker-registry to a verdict, and the same images by the command alone. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { requireDigest } from '../../shared/domain/digest.ts';
import type { Report } from '../../shared/domain/report.ts';
import { parseReport } from '../../shared/reports/json.ts';
import { runCommand } from '../cli/command.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { hasMadeImages, madeImagesReason } from '../support/made-images.ts';
import { type DockerRegistry, startDockerRegistry } from './docker-registry.ts';
import {
  alpineImage,
  debianImages,
  findingsOf,
  hasProgram,
  linkAdvisories,
  type RealImage,
  rowsOf,
} from './real-images.ts';
import { cleanUp, newFolder, type StartedMachine, startMachine, waitUntil } from './started-machine.ts';

const hasPrograms = hasProgram('docker-registry') && hasProgram('skopeo');
const programsReason = hasPrograms ? '' : ' (skipped: apt-get install docker-registry skopeo)';
const images: readonly RealImage[] = [...debianImages, alpineImage];

describe.skipIf(!hasCorpus || !hasMadeImages)(
  `images that nobody here made${corpusReason}${madeImagesReason}`,
  () => {
    let advisories = '';
    beforeAll(async () => {
      advisories = await linkAdvisories(join(await newFolder(), 'advisories'));
    });
    afterAll(cleanUp);

    it('are as large as their makers say', () => {
      expect(images.map((image) => [image.name, image.packages().length])).toEqual([
        ['base', 130],
        ['node', 130 + 53],
        ['whiteout', 130 + 52],
        ['alpine', 14],
      ]);
    });

    it.each(images)('$name has its packages and findings by plimsoll scan', async (image) => {
      const { stdout, stderr, exitCode } = await runCommand([
        ...['scan', image.target, '--advisories', advisories, '--format', 'json'],
      ]);
      expect([stderr, exitCode]).toEqual(['', image.decision === 'fail' ? 1 : 0]);
      expectAsKnown(parseReport(Buffer.from(stdout), 'stdout'), image);
    });

    describe.skipIf(!hasPrograms)(`pushed to Debian's docker-registry${programsReason}`, () => {
      let machine: StartedMachine;
      let registry: DockerRegistry;
      beforeAll(async () => {
        machine = await startMachine(await newFolder(), {
          args: ['--no-sample', '--advisories', advisories],
        });
        registry = await startDockerRegistry(await newFolder(), {
          url: `${machine.apiUrl}/webhooks/distribution`,
          token: machine.webhookToken,
        });
      });
      afterAll(async () => {
        await registry?.stop();
        expect((await machine?.interrupt())?.code).toBe(0);
      });

      it.each(images)('$name has a verdict with its packages and findings', async (image) => {
        const copy = await promisify(execFile)('skopeo', [
          ...['copy', '--quiet', '--preserve-digests', '--dest-tls-verify=false'],
          ...[image.target, `docker://${registry.host}/${image.name}:v1`],
        ]);
        expect(copy.stderr).toBe('');
        const head = await fetch(`http://${registry.host}/v2/${image.name}/manifests/v1`, {
          method: 'HEAD',
          headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
        });
        const digest = requireDigest(
          head.headers.get('docker-content-digest') ?? '',
          'docker-content-digest',
        );
        const url = `${machine.apiUrl}/images/${digest}`;
        const report = await waitUntil(`there is a report of ${image.name}`, async () => {
          const answer = await fetch(`${url}/report`);
          const body = Buffer.from(await answer.arrayBuffer());
          return answer.ok && parseReport(body, url);
        });
        expectAsKnown(report, image);
        const view = viewSchema.parse(await (await fetch(url)).json());
        expect(view).toEqual({
          digest,
          kind: 'image',
          decision: image.decision,
          verdicts: [
            {
              place: { registry: registry.host, repository: image.name, environment: 'local' },
              tags: ['v1'],
              decision: image.decision,
              error: null,
            },
          ],
        });
      });

      it('says of all of them whether they may run, and ignored none of the notifications', async () => {
        const answers = images.map(async ({ name }) => {
          const answer = await fetch(`${machine.apiUrl}/gate?reference=${registry.host}/${name}:v1`);
          return gateSchema.parse(await answer.json());
        });
        expect((await Promise.all(answers)).map((answer) => answer.decision)).toEqual(
          images.map((image) => image.decision),
        );
        const intake = await (await fetch(`${machine.apiUrl}/intake`)).json();
        expect(intake).toMatchObject({ items: [], counts: { total: 0 } });
      });
    });
  },
);

const gateSchema = z.object({ decision: z.string() });
const viewSchema = z.object({
  digest: z.string(),
  kind: z.string(),
  decision: z.string(),
  verdicts: z.array(
    z.object({
      place: z.object({ registry: z.string(), repository: z.string(), environment: z.string() }),
      tags: z.array(z.string()),
      decision: z.string(),
      error: z.unknown(),
    }),
  ),
});

function expectAsKnown(report: Report, image: RealImage): void {
  expect(rowsOf(report)).toEqual([...image.packages()].sort());
  expect(findingsOf(report)).toEqual([...image.findings].sort());
  const { complete, issues } = report.coverage;
  expect(complete).toBe(issues.length === 0);
  // The corpus stands still: whether it is too old is a matter of the day on which this runs.
  expect(issues.map((issue) => issue.code).filter((code) => code !== 'ADVISORIES_STALE')).toEqual(
    image.coverage,
  );
  expect(report.verdict.decision).toBe(image.decision);
  const rules = report.verdict.reasons.map((reason) => reason.rule);
  expect(rules.includes('incomplete-coverage')).toBe(image.coverage.length > 0);
}
