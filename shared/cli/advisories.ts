/** `plimsoll advisories`: fetches advisories into a folder and says what a folder holds. */

import { fetchCveList } from '../advisories/cve-list.ts';
import { type DownloadOptions, defaultIdleTimeoutMs, defaultRetries } from '../advisories/download.ts';
import { folderStore, pruneAdvisoryFolder, readPublished, writePublished } from '../advisories/folder.ts';
import { readManifest } from '../advisories/manifest.ts';
import { type OsvSource, openOsvFolder, openOsvSource, publicBucketUrl } from '../advisories/osv-source.ts';
import { type SyncedIndex, syncIndex } from '../advisories/sync-index.ts';
import { createHttpClient } from '../base/http.ts';
import { PlimsollError } from '../domain/errors.ts';
import { safeText } from '../reports/safe-text.ts';
import { parseArguments } from './arguments.ts';
import { type CommandIo, exitCodes } from './io.ts';

/** `advisories sync` and `advisories info`. Throws INVALID_INPUT for other arguments, and what reading the feed throws. */
export async function runAdvisories(args: readonly string[], io: CommandIo): Promise<number> {
  const [subcommand, ...rest] = args;
  if (subcommand === 'sync') return syncAdvisories(rest, io);
  if (subcommand === 'info') return showAdvisories(rest, io);
  throw new PlimsollError(
    'INVALID_INPUT',
    `expected advisories sync or advisories info, found "advisories ${args.join(' ')}"; see plimsoll --help`,
  );
}

/**
 * `sync --to DIR [--from URL|DIR] [--ecosystem NAME]... [--cve-list URL|DIR|FILE]`: brings the folder up to date; the
 * folder then holds the named ecosystems and no others. `--cve-list` takes the CVE List (format 5.x) for severities
 * that advisories do not give; without it those of the run before stay. Killed anywhere, the old revision stays in force.
 */
async function syncAdvisories(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = parseArguments(
    'advisories sync',
    args,
    {
      to: { type: 'string' },
      from: { type: 'string', default: publicBucketUrl },
      ecosystem: { type: 'string', multiple: true, default: [] },
      'cve-list': { type: 'string' },
    },
    [],
  );
  const folder = requireOption(values.to, 'advisories sync', '--to DIR');
  const http = createHttpClient();
  const progress = progressOf(io);
  try {
    const download: DownloadOptions = {
      http,
      retries: defaultRetries,
      idleTimeoutMs: defaultIdleTimeoutMs,
      signal: io.signal,
    };
    const previous = await readPublished(folder);
    const cveList = values['cve-list'];
    if (cveList !== undefined) progress.show(`reading ${cveList}`);
    const cveRatings = cveList === undefined ? undefined : await fetchCveList(cveList, download);
    const synced = await syncIndex({
      store: folderStore(folder),
      previous,
      source: openOsvSource(values.from, download),
      ecosystems: values.ecosystem,
      cveRatings,
      now: io.now(),
      onProgress: progress.show,
    });
    await writePublished(folder, synced.published);
    await pruneAdvisoryFolder(
      folder,
      previous === undefined ? [synced.published] : [previous, synced.published],
      io.now(),
    );
    progress.clear();
    await io.out(describeSync(synced, previous?.revision));
    return exitCodes.done;
  } finally {
    progress.clear();
    http.close();
  }
}

/** `info --advisories DIR [--format table|json]`: what a folder holds, synchronised or a plain copy of the bucket. Throws
 *  ADVISORIES_MISSING where it is neither. */
async function showAdvisories(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = parseArguments(
    'advisories info',
    args,
    { advisories: { type: 'string' }, format: { type: 'string', default: 'table' } },
    [],
  );
  if (values.format !== 'table' && values.format !== 'json') {
    throw new PlimsollError(
      'INVALID_INPUT',
      `advisories info: expected --format table or json, found "${values.format}"`,
    );
  }
  const folder = requireOption(
    values.advisories ?? io.env['PLIMSOLL_ADVISORIES'],
    'advisories info',
    '--advisories DIR',
  );
  const info = (await syncedInfo(folder)) ?? (await bucketInfo(folder, io.now()));
  await io.out(values.format === 'json' ? `${JSON.stringify(info, undefined, 2)}\n` : tableOf(info));
  return exitCodes.done;
}

interface FolderInfo {
  /** null for a plain copy of the bucket. */
  readonly revision: number | null;
  readonly contentHash: string | null;
  readonly newestAt: string | null;
  readonly records: number;
  readonly packages: number | null;
  readonly sizeBytes: number | null;
  readonly ecosystems: readonly {
    readonly name: string;
    readonly records?: number;
    readonly packages?: number;
    readonly rows?: number;
  }[];
}

async function syncedInfo(folder: string): Promise<FolderInfo | undefined> {
  const published = await readPublished(folder);
  if (published === undefined) return undefined;
  const manifest = await readManifest(folderStore(folder), published.manifest);
  return {
    revision: published.revision,
    contentHash: published.contentHash,
    newestAt: published.newestAt,
    records: published.recordCount,
    packages: published.keyCount,
    sizeBytes: published.sizeBytes,
    ecosystems: manifest.ecosystems.map(({ name, keys, rows }) => ({ name, packages: keys, rows })),
  };
}

/** What the lists of a plain copy say; its archives are not opened. */
async function bucketInfo(folder: string, now: Date): Promise<FolderInfo> {
  const source = openOsvFolder(folder);
  const ecosystems: { name: string; records: number }[] = [];
  for (const name of await ecosystemsOf(source)) {
    ecosystems.push({ name, records: (await source.modified(name))?.size ?? 0 });
  }
  return {
    revision: null,
    contentHash: null,
    newestAt: (await source.newestModified(now)) ?? null,
    records: ecosystems.reduce((total, one) => total + one.records, 0),
    packages: null,
    sizeBytes: null,
    ecosystems,
  };
}

async function ecosystemsOf(source: OsvSource): Promise<readonly string[]> {
  try {
    return await source.ecosystems();
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code !== 'ADVISORIES_MISSING') throw error;
    throw new PlimsollError(
      'ADVISORIES_MISSING',
      `${source.name}: expected synchronised advisories or a copy of the OSV bucket, found neither; run plimsoll advisories sync --to ${source.name}`,
      { cause: error },
    );
  }
}

function tableOf(info: FolderInfo): string {
  const lines =
    info.revision === null
      ? ['A copy of the OSV bucket, read anew by each scan', `${info.records} records`]
      : [
          `Revision ${info.revision}`,
          `${info.records} records about ${info.packages} packages, ${info.sizeBytes} bytes`,
        ];
  return [
    ...lines,
    `Newest record: ${info.newestAt ?? 'not known'}`,
    '',
    ...info.ecosystems.map(({ name, records, packages, rows }) =>
      records === undefined ? `${name}: ${packages} packages, ${rows} rows` : `${name}: ${records} records`,
    ),
    '',
  ]
    .map(safeText)
    .join('\n');
}

function requireOption(value: string | undefined, command: string, option: string): string {
  if (value !== undefined && value !== '') return value;
  throw new PlimsollError(
    'INVALID_INPUT',
    `${command}: expected ${option}, found nothing; see plimsoll --help`,
  );
}

/** One line that is written over, on a terminal only. */
function progressOf(io: CommandIo): { readonly show: (line: string) => void; readonly clear: () => void } {
  if (!io.stderrIsTerminal) return { show: () => {}, clear: () => {} };
  return {
    show: (line) => io.err(`\r\u001b[K${safeText(line).slice(0, (io.columns ?? 80) - 1)}`),
    clear: () => io.err('\r\u001b[K'),
  };
}

function describeSync(synced: SyncedIndex, before: number | undefined): string {
  const { published, skipped, ecosystems } = synced;
  const lines = [
    published.revision === before
      ? `Revision ${published.revision} is up to date.`
      : `Revision ${published.revision}: ${published.recordCount} records about ${published.keyCount} packages, ${synced.changedKeys} packages changed.`,
    `Read ${synced.readRecords} records: ${ecosystems.whole.length} ecosystems whole, ${ecosystems.edited.length} by changed records, ${ecosystems.kept.length} unchanged.`,
  ];
  const reasons = Object.entries(skipped);
  if (reasons.length > 0) {
    lines.push(
      `Left out (records or their packages): ${reasons.map(([reason, count]) => `${reason} ${count}`).join(', ')}.`,
    );
  }
  return `${lines.join('\n')}\n`;
}
