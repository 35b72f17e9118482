/** `plimsoll scan`: reads an image from wherever it lies, judges it and prints the report. */
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { openAdvisoryFolder } from '../advisories/folder.ts';
import { catalogers } from '../catalogers/registry.ts';
import { digestOf } from '../domain/digest.ts';
import { PlimsollError } from '../domain/errors.ts';
import { type Platform, parsePlatform } from '../domain/platform.ts';
import type { PolicyRevision } from '../domain/policy.ts';
import type { Report } from '../domain/report.ts';
import type { Revision } from '../domain/verdict.ts';
import { choosePlatform, type ImageSource, machinePlatform } from '../image/source.ts';
import { openTarget } from '../image/sources.ts';
import { ecosystemsOf } from '../matching/match.ts';
import { composePresent, type Judgement, judge } from '../pipeline/judge.ts';
import { defaultPolicy } from '../policy/default-policy.ts';
import { maxPolicyBytes, parsePolicy } from '../policy/parse-policy.ts';
import { policyRevisionOf } from '../policy/policy-revision.ts';
import { reportBytes } from '../reports/json.ts';
import { renderTable } from '../reports/table.ts';
import { parseArguments } from './arguments.ts';
import { type CommandIo, exitCodes } from './io.ts';
import { isFolder, readNamedFile, writeNamedFile } from './named-files.ts';
import { openProgress } from './progress.ts';
import { readImage } from './read-image.ts';

const formats = ['table', 'json'] as const;
const plannedFormats = ['sarif', 'cyclonedx', 'spdx', 'junit', 'markdown'];

/** Revision of what no server keeps: the policy comes from a file or from the code, and there are no exceptions. */
const localRevision = 0;
const noExceptions: Revision = { revision: localRevision, contentHash: digestOf('[]') };

/** Exit code 0 for `pass` and `warn`, 1 for `fail`. Throws PlimsollError where there is no verdict. */
export async function runScan(args: readonly string[], io: CommandIo): Promise<number> {
  const options = await readOptions(args, io);
  const source = await openTarget(options.target, {
    dockerConfigFolder: io.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'),
  });
  try {
    const judgement = await scan(source, options, io);
    await print(judgement.report, options, io);
    return judgement.decision === 'fail' ? exitCodes.fail : exitCodes.done;
  } finally {
    await source.close();
  }
}

interface ScanOptions {
  readonly target: string;
  readonly format: (typeof formats)[number];
  readonly output: string | undefined;
  readonly advisories: string;
  readonly policy: PolicyRevision;
  readonly platform: Platform | undefined;
  readonly quiet: boolean;
}

/** Everything that can be wrong with the command, told before anything is fetched. */
async function readOptions(args: readonly string[], io: CommandIo): Promise<ScanOptions> {
  const { values, positionals } = parseArguments(
    'scan',
    args,
    {
      format: { type: 'string' },
      output: { type: 'string' },
      advisories: { type: 'string' },
      policy: { type: 'string' },
      platform: { type: 'string' },
      quiet: { type: 'boolean' },
    },
    ['<target>'],
  );
  return {
    target: positionals[0] ?? '',
    format: readFormat(values.format),
    platform: readPlatform(values.platform),
    advisories: await findAdvisories(values.advisories ?? io.env['PLIMSOLL_ADVISORIES']),
    policy: await readPolicy(values.policy),
    output: values.output,
    quiet: values.quiet ?? false,
  };
}

async function scan(source: ImageSource, options: ScanOptions, io: CommandIo): Promise<Judgement> {
  const chosen = choosePlatform(await source.images(), options.platform, machinePlatform(process.arch));
  const record = await source.record(chosen.digest);
  const progress = openProgress(io, options.quiet);
  try {
    let bytes = 0;
    const { layers, inventoriesHash } = await readImage(source, record, {
      catalogers,
      signal: io.signal,
      onBytes: (more) => {
        bytes += more;
        progress.show(() => `reading layers: ${inMegabytes(bytes)} of ${inMegabytes(record.sizeBytes)} MB`);
      },
    });
    progress.show(() => 'matching');
    const ecosystems = ecosystemsOf(await composePresent(record, layers));
    return await judge({
      record,
      layers,
      inventoriesHash,
      index: await openAdvisoryFolder(options.advisories, ecosystems),
      policy: options.policy,
      exceptions: noExceptions,
      asOf: io.now().toISOString(),
      reference: source.reference,
      extraIssues: source.issues,
    });
  } finally {
    progress.end();
  }
}

async function print(report: Report, options: ScanOptions, io: CommandIo): Promise<void> {
  const toTerminal = io.stdoutIsTerminal && options.output === undefined;
  const text =
    options.format === 'json'
      ? reportBytes(report)
      : renderTable(report, {
          // no-color.org: set and not empty.
          colour: toTerminal && (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb',
          ...(toTerminal && io.columns !== undefined ? { columns: io.columns } : {}),
        });
  if (options.output === undefined) await io.out(text);
  else await writeNamedFile(options.output, text);
}

function readFormat(text: string | undefined): ScanOptions['format'] {
  const format = formats.find((name) => name === (text ?? 'table'));
  if (format !== undefined) return format;
  const why = plannedFormats.includes(text ?? '') ? `"${text}", which is not built yet` : `"${text}"`;
  throw new PlimsollError('INVALID_INPUT', `scan: expected --format ${formats.join(' or ')}, found ${why}`);
}

function readPlatform(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined;
  const platform = parsePlatform(text);
  if (platform !== undefined) return platform;
  throw new PlimsollError(
    'INVALID_INPUT',
    `scan: expected --platform os/arch[/variant], such as linux/arm64, found "${text}"`,
  );
}

async function readPolicy(path: string | undefined): Promise<PolicyRevision> {
  if (path === undefined) return policyRevisionOf(defaultPolicy, localRevision);
  const text = await readNamedFile(path, 'a policy in JSON or YAML', maxPolicyBytes);
  return policyRevisionOf(parsePolicy(text, basename(path)), localRevision);
}

async function findAdvisories(path: string | undefined): Promise<string> {
  const sync = 'fetch them with: plimsoll advisories sync --to DIR';
  if (path === undefined || path === '') {
    throw new PlimsollError(
      'ADVISORIES_MISSING',
      `scan: expected advisories from --advisories DIR or PLIMSOLL_ADVISORIES, found neither; ${sync}`,
    );
  }
  if (!(await isFolder(path))) {
    throw new PlimsollError(
      'ADVISORIES_MISSING',
      `scan: expected a folder of advisories at ${path}, found none; ${sync}`,
    );
  }
  return path;
}

/** Millions of bytes, as registries and disks count them. */
function inMegabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0);
}
