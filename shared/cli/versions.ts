/** `plimsoll versions`: answers how an ecosystem orders versions. */
import { readLines } from '../base/lines.ts';
import { PlimsollError } from '../domain/errors.ts';
import type { VersionOrder } from '../versions/contract.ts';
import { orderedEcosystems, orderOfEcosystem } from '../versions/registry.ts';
import { type CommandIo, exitCodes } from './io.ts';

/** Longer lines are cut; what is cut is longer than any version that has a place. */
const maxLineLength = 4096;

/** `versions compare <ecosystem> [<a> <b>]`: prints `<`, `=` or `>`, or `?` where the order has no place for one of the
 *  two. Without a pair it reads lines `A<TAB>B` from stdin and prints one sign for each line, `?` also for a line of
 *  another form. Throws INVALID_INPUT for an unknown ecosystem or other arguments. */
export async function runVersions(args: readonly string[], io: CommandIo): Promise<number> {
  // Versions are taken as they stand: one that starts with a dash is no option.
  const [subcommand, ecosystem, ...pair] = args;
  if (subcommand !== 'compare' || ecosystem === undefined || (pair.length !== 0 && pair.length !== 2)) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `expected versions compare <ecosystem> [<a> <b>], found "versions ${args.join(' ')}"; see plimsoll --help`,
    );
  }
  const order = orderOfEcosystem(ecosystem);
  if (order === undefined) {
    throw new PlimsollError(
      'INVALID_INPUT',
      `no version order is known for the ecosystem "${ecosystem}"; known are ${orderedEcosystems().join(', ')}`,
    );
  }
  const [a, b] = pair;
  if (a !== undefined && b !== undefined) {
    await io.out(`${signOf(order, a, b)}\n`);
    return exitCodes.done;
  }
  for await (const lines of readLines(io.stdin, maxLineLength)) {
    await io.out(lines.map((line) => `${signOfLine(order, line)}\n`).join(''));
  }
  return exitCodes.done;
}

function signOfLine(order: VersionOrder, line: string): string {
  const [a, b, ...more] = line.split('\t');
  return a === undefined || b === undefined || more.length > 0 ? '?' : signOf(order, a, b);
}

function signOf(order: VersionOrder, a: string, b: string): string {
  const result = order.compare(a, b);
  if (result === undefined) return '?';
  return result < 0 ? '<' : result > 0 ? '>' : '=';
}
