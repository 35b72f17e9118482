/** `plimsoll versions compare` as a process: a whole table of the corpus through stdin, each ecosystem once. */
import { describe, expect, it } from 'vitest';
import { runCommand } from '../cli/command.ts';
import { corpusReason, hasCorpus } from '../support/corpus.ts';
import { readCorpusTable } from './corpus-tables.ts';

const turned = { '<': '>', '>': '<', '=': '=', '?': '?' } as const;

describe('versions compare', () => {
  it.skipIf(!hasCorpus).each([
    ['Alpine', 'alpine', 700],
    ['CRAN', 'cran', 20],
    ['Debian', 'debian', 20],
    ['Go', 'semver', 80],
    ['Hackage', 'hackage', 10],
    ['Maven', 'maven', 100],
    ['NuGet', 'nuget', 30],
    ['NuGet', 'nuget-oracle', 1490],
    ['Packagist', 'packagist', 90],
    ['Pub', 'pub', 90],
    ['PyPI', 'pypi', 30],
    ['Red Hat:enterprise_linux:9::appstream', 'redhat', 150],
    ['RubyGems', 'rubygems', 20],
    ['npm', 'semver', 80],
  ])(
    `answers for %s every line of the corpus' table %s, both ways${corpusReason}`,
    async (ecosystem, table, least) => {
      const lines = readCorpusTable(table);
      expect(lines.length).toBeGreaterThan(least);
      const stdin = lines.map(({ a, b }) => `${a}\t${b}\n${b}\t${a}\n`).join('');
      const { exitCode, stdout, stderr } = await runCommand(['versions', 'compare', ecosystem], { stdin });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toBe(lines.map(({ sign }) => `${sign}\n${turned[sign]}\n`).join(''));
    },
  );
});
