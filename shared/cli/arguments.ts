/** Reads the arguments of a subcommand. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { PlimsollError } from '../domain/errors.ts';

/**
 * The options and the positional arguments; an option given twice counts as given last, unless it is `multiple`.
 * Throws INVALID_INPUT, which names the subcommand and what is wrong, for unknown options, missing values and another
 * number of positional arguments than `positionals` names.
 */
export function parseArguments<const T extends ParseArgsOptionsConfig>(
  command: string,
  args: readonly string[],
  options: T,
  positionals: readonly string[],
) {
  const parsed = parseOrRefuse(command, args, options);
  if (parsed.positionals.length !== positionals.length) {
    const found = parsed.positionals.length === 0 ? 'none' : parsed.positionals.join(' ');
    throw new PlimsollError(
      'INVALID_INPUT',
      `${command}: expected ${positionals.join(' ') || 'no argument'}, found ${found}; see plimsoll --help`,
    );
  }
  return parsed;
}

function parseOrRefuse<const T extends ParseArgsOptionsConfig>(
  command: string,
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node says it in one sentence and then advises about `--`, which helps nobody here.
    const [sentence = error.message] = error.message.split(/\. |\n/, 1);
    throw new PlimsollError('INVALID_INPUT', `${command}: ${sentence}; see plimsoll --help`, {
      cause: error,
    });
  }
}
