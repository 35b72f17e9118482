#!/usr/bin/env node
/** The plimsoll command: picks the subcommand and turns its outcome into an exit code. Loads nothing heavy itself, so
 *  that `--version` starts as fast as node does. */
import { PlimsollError } from '../domain/errors.ts';
import { tool } from '../domain/tool.ts';
import { safeText } from '../reports/safe-text.ts';
import { type Command, type CommandIo, exitCodes, processIo } from './io.ts';

const help = `Usage: plimsoll <command>

  scan <target>       reads an image and judges it
      --format table|json       what stdout gets (default: table)
      --output FILE             writes the report to FILE instead of stdout
      --advisories DIR          a synced folder or a copy of the OSV bucket (default: $PLIMSOLL_ADVISORIES)
      --policy FILE             a policy in JSON or YAML instead of the default one
      --platform os/arch[/variant]  which image of an index
      --quiet                   no progress
    targets: oci:DIR[:TAG]  oci-archive:FILE  docker-archive:FILE  dir:DIR  registry/repository[:tag][@digest]
  advisories sync --to DIR [--from URL|DIR] [--ecosystem NAME]...
                  [--cve-list URL|DIR|FILE]
  advisories info --advisories DIR [--format json]
  gate <reference> --server URL [--environment NAME] [--wait SECONDS]
  versions compare <ecosystem> [<a> <b>]
  --version           prints the version
  --help              prints this

Exit codes: 0 pass or warn, 1 fail, 2 no verdict (one line on stderr says why), 3 pending (gate).
`;

/** How long a command that was interrupted may take to end by itself, in milliseconds. */
const maxCleanEndMs = 2_000;

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  scan: async () => (await import('./scan.ts')).runScan,
  gate: async () => (await import('./gate.ts')).runGate,
  advisories: async () => (await import('./advisories.ts')).runAdvisories,
  versions: async () => (await import('./versions.ts')).runVersions,
};

const interrupted = new AbortController();
let signalNumber = 0;
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.on(signal, () => {
    // Asked twice: whoever waits for the clean end has lost patience.
    if (signalNumber !== 0) process.exit(128 + number);
    signalNumber = number;
    interrupted.abort();
    // What waits for a silent server notices nothing.
    setTimeout(() => process.exit(128 + number), maxCleanEndMs).unref();
  });
}

// Node's own exit code for an error that nobody caught is 1, which here is the verdict `fail`.
process.on('uncaughtException', (error) => {
  process.stderr.write(`plimsoll: ${oneLine(error)}\n`);
  process.exit(exitCodes.unanswered);
});

const io = processIo(interrupted.signal);
const exitCode = await run(process.argv.slice(2), io);
// Not process.exit at once: what is still in the pipe to stdout would be cut off.
process.exitCode = signalNumber === 0 ? exitCode : 128 + signalNumber;

async function run(args: readonly string[], commandIo: CommandIo): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version' || name === '-v') {
    await commandIo.out(`${tool.version}\n`);
    return exitCodes.done;
  }
  if (name === '--help' || name === '-h' || name === 'help' || rest.includes('--help')) {
    await commandIo.out(help);
    return exitCodes.done;
  }
  try {
    const load = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (load === undefined) {
      const found = name === undefined ? 'found none' : `found "${name}"`;
      throw new PlimsollError(
        'INVALID_INPUT',
        `expected a command (${Object.keys(commands).join(', ')}), ${found}; see plimsoll --help`,
      );
    }
    return await (await load())(rest, commandIo);
  } catch (error) {
    if (signalNumber === 0) commandIo.err(`plimsoll: ${oneLine(error)}\n`);
    return exitCodes.unanswered;
  }
}

/** The message on one line: parts of it may come from an image or a server. */
function oneLine(error: unknown): string {
  const text =
    error instanceof PlimsollError
      ? error.message
      : `unexpected failure, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  return safeText(text).trim();
}
