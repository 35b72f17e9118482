/** `plimsoll versions compare`: a pair, a table from stdin, and what is refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CommandIo } from '../../shared/cli/io.ts';
import { runVersions } from '../../shared/cli/versions.ts';
import { corpusPath, corpusReason, hasCorpus } from '../support/corpus.ts';

async function run(
  args: readonly string[],
  stdin = '',
): Promise<{ readonly code: number; readonly out: string }> {
  let out = '';
  const io: CommandIo = {
    out: async (data) => {
      out += typeof data === 'string' ? data : new TextDecoder().decode(data);
    },
    err: () => {
      throw new Error('nothing is written to stderr');
    },
    stdin: (async function* () {
      for (const character of stdin) yield new TextEncoder().encode(character);
    })(),
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: undefined,
    env: {},
    signal: new AbortController().signal,
    now: () => new Date(0),
  };
  const code = await runVersions(args, io);
  return { code, out };
}

describe('versions compare', () => {
  it.each([
    [['Debian', '1.0~rc1', '1.0'], '<'],
    [['Debian:12', '1.0', '1.0-0'], '='],
    [['Alpine', '1.0-r1', '1.0-r0'], '>'],
    [['npm', '1.0.0', 'latest'], '?'],
    [['npm', '--help', '-1'], '?'],
  ])('%j prints %s', async (args, sign) => {
    expect(await run(['compare', ...args])).toEqual({ code: 0, out: `${sign}\n` });
  });

  it('prints one sign for each line of stdin, ? for a line of another form', async () => {
    const stdin = '1.0.0\t2.0.0\r\n2.0.0\t1.0.0\n\nx\n1.0.0\t1.0.0\t1.0.0\n1.0.0\tv1.0.0';
    expect(await run(['compare', 'npm'], stdin)).toEqual({ code: 0, out: '<\n>\n?\n?\n?\n=\n' });
    expect(await run(['compare', 'npm'], '')).toEqual({ code: 0, out: '' });
  });

  it.skipIf(!hasCorpus).each([
    ['Debian', 'debian'],
    ['Alpine', 'alpine'],
    ['npm', 'semver'],
  ])(`answers the corpus' table for %s${corpusReason}`, async (ecosystem, table) => {
    const rows = readFileSync(`${corpusPath}/versions/${table}-versions.txt`, 'utf8')
      .split('\n')
      .filter((line) => /^[^#/\s]/.test(line))
      .map((line) => line.split(' '));
    expect(rows.length).toBeGreaterThan(20);
    const { out } = await run(['compare', ecosystem], rows.map(([a, , b]) => `${a}\t${b}\n`).join(''));
    expect(out).toBe(rows.map(([, sign]) => `${sign}\n`).join(''));
  });

  it.each([
    [[], 'expected versions compare'],
    [['sort', 'npm'], 'expected versions compare'],
    [['compare'], 'expected versions compare'],
    [['compare', 'npm', '1.0.0'], 'expected versions compare'],
    [['compare', 'npm', '1', '2', '3'], 'expected versions compare'],
    [['compare', 'Cobol', '1', '2'], 'no version order is known for the ecosystem "Cobol"'],
    [['compare', 'toString'], 'no version order is known'],
  ])('refuses %j', async (args, message) => {
    await expect(run(args)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    });
  });
});
