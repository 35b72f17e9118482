/** `plimsoll advisories`: fetches advisories into a folder and says what a folder holds. */
import {
  folderStore,
  pruneAdvisoryFolder,
  readPublished,
  writePublished,
} from '../advisories/folder.ts';
import { fetchCveList } from '../advisories/cve-list.ts';
import { type DownloadOptions, defaultIdleTimeoutMs, defaultRetries } from '../advisories/download.ts';
import { readManifest } from '../advisories/manifest.ts';
import { openOsvSource, publicBucketUrl } from '../advisories/osv-source.ts';
import { type SyncedIndex, syncIndex } from '../advisories/sync-index.ts';
import { createHttpClient } from '../base/http.ts';
import { PlimsollError } from '../domain/errors.ts';
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

/** `info --advisories DIR [--format table|json]`: what a synchronised folder holds. Throws ADVISORIES_MISSING. */
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
  const published = await readPublished(folder);
  if (published === undefined) {
    throw new PlimsollError(
      'ADVISORIES_MISSING',
      `${folder}: expected synchronised advisories, found none; run plimsoll advisories sync --to ${folder}`,
    );
  }
  const manifest = await readManifest(folderStore(folder), published.manifest);
  const ecosystems = manifest.ecosystems.map(({ name, keys, rows, sizeBytes }) => ({
    name,
    packages: keys,
    rows,
    sizeBytes,
  }));
  const info = {
    revision: published.revision,
    contentHash: published.contentHash,
    newestAt: published.newestAt,
    records: published.recordCount,
    rows: published.rowCount,
    packages: published.keyCount,
    sizeBytes: published.sizeBytes,
    ecosystems,
  };
  await io.out(
    values.format === 'json'
      ? `${JSON.stringify(info, undefined, 2)}\n`
      : [
          `Revision ${info.revision}, newest record ${info.newestAt}`,
          `${info.records} records about ${info.packages} packages, ${info.sizeBytes} bytes`,
          '',
          ...ecosystems.map((one) => `${one.name}: ${one.packages} packages, ${one.rows} rows`),
          '',
        ].join('\n'),
  );
  return exitCodes.done;
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
    show: (line) => io.err(`\r\u001b[K${line.slice(0, (io.columns ?? 80) - 1)}`),
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
