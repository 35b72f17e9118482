/** Flags of `npm start`. */
import { parseArgs } from 'node:util';
import { PlimsollError } from '../domain/errors.ts';

export interface StartOptions {
  readonly sample: boolean;
  /** Port of the API; the registry takes the next one. */
  readonly port: number;
  readonly dataDir: string;
  /** A folder or URL laid out as the OSV bucket; absent: the sample's own advisories. */
  readonly advisories: string | undefined;
  /** The CVE List, for severities that advisories do not give. */
  readonly cveList: string | undefined;
  /** Absent: kept from the last start, or made. */
  readonly webhookToken: string | undefined;
  /** Folder with the built app; absent: the sources. */
  readonly app: string | undefined;
  readonly help: boolean;
}

export const startUsage = `npm start -- [--no-sample] [--port 7071] [--data DIR] [--advisories DIR|URL] [--cve-list FILE|DIR|URL] [--webhook-token TOKEN] [--app DIR]

  --no-sample            push no sample image
  --port N               port of the API; the registry takes N + 1 (default 7071)
  --data DIR             where everything is kept (default .plimsoll)
  --advisories DIR|URL   advisories laid out as the OSV bucket (default: those of the sample alone)
  --cve-list FILE|URL    the CVE List, for severities that advisories do not give
  --webhook-token TOKEN  what registries must send as Authorization: Bearer TOKEN (default: made at the first start)
  --app DIR              run the built app of this folder instead of the sources
`;

/** Least length of a webhook token: it is all that keeps others from queueing work. */
const minTokenLength = 16;

/** Throws INVALID_INPUT in one line. */
export function parseStartOptions(args: readonly string[]): StartOptions {
  const { values } = parse(args);
  const port = Number(values.port ?? 7071);
  if (!Number.isInteger(port) || port < 1 || port > 65_534) {
    throw invalid(`--port: expected a number from 1 to 65534, found "${values.port}"`);
  }
  const webhookToken = values['webhook-token'];
  if (webhookToken !== undefined && !/^[\x21-\x7e]+$/.test(webhookToken)) {
    throw invalid('--webhook-token: expected printable characters without spaces');
  }
  if (webhookToken !== undefined && webhookToken.length < minTokenLength) {
    throw invalid(`--webhook-token: expected at least ${minTokenLength} characters`);
  }
  for (const name of ['data', 'advisories', 'app'] as const) {
    if (values[name] === '') throw invalid(`--${name}: expected a folder, found nothing`);
  }
  return {
    sample: values['no-sample'] !== true,
    port,
    dataDir: values.data ?? '.plimsoll',
    advisories: values.advisories,
    cveList: values['cve-list'],
    webhookToken,
    app: values.app,
    help: values.help === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'no-sample': { type: 'boolean' },
        port: { type: 'string' },
        data: { type: 'string' },
        advisories: { type: 'string' },
        'cve-list': { type: 'string' },
        'webhook-token': { type: 'string' },
        app: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw invalid(`${error.message.split('. ', 1)[0]}; npm start -- --help lists the flags`, error);
  }
}

function invalid(message: string, cause?: unknown): PlimsollError {
  return new PlimsollError('INVALID_INPUT', message, { cause });
}
