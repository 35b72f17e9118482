/** What README and docs/ name exists: links, scripts, settings, flags, folders. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { routes } from '../../shared/api/routes.ts';
import { type SettingRow, settingTable } from '../../shared/azure/setting-table.ts';
import { startUsage } from '../../shared/local/start-options.ts';
import { anchors, codeBlocks, documents, readText, relativeLinks, root, tableUnder } from './markdown.ts';

const readme = readText('README.md');

describe('every document', () => {
  it('is found', () => {
    expect(documents.length).toBeGreaterThan(10);
  });

  it.each(documents)('%s links to files and headings that exist', (path) => {
    for (const link of relativeLinks(readText(path))) {
      const [target = '', anchor] = link.split('#');
      const file = target === '' ? path : normalize(join(dirname(path), target));
      expect(existsSync(`${root}${file}`), `${path}: ${link}`).toBe(true);
      if (anchor !== undefined) expect(anchors(readText(file)), `${path}: ${link}`).toContain(anchor);
    }
  });

  it.each(documents)('%s names scripts that package.json has', (path) => {
    const scripts: Record<string, string> = JSON.parse(readText('package.json')).scripts;
    for (const [, run, plain] of readText(path).matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(start|test)\b)/g)) {
      expect(Object.keys(scripts), path).toContain(run ?? plain);
    }
  });

  it.each(documents)('%s names settings that exist', (path) => {
    const known = [...settingTable.map((row) => row.name), ...['PLIMSOLL_ADVISORIES', 'PLIMSOLL_TOKEN']];
    for (const [name] of readText(path).matchAll(/\bPLIMSOLL_[A-Z_]*[A-Z]/g))
      expect(known, path).toContain(name);
  });

  it.each(documents)('%s names flags that exist', (path) => {
    const commandFlags = flagsOf(commandHelp());
    const startFlags = flagsOf(startUsage);
    for (const line of readText(path).split('\n')) {
      for (const [, rest = ''] of line.matchAll(
        /\bplimsoll (?:-- )?(?:scan|gate|advisories|versions)\b([^`|]*)/g,
      )) {
        for (const flag of flagsOf(rest)) expect(commandFlags, `${path}: ${line}`).toContain(flag);
      }
      for (const [, rest = ''] of line.matchAll(/\bnpm start -- ([^`|]*)/g)) {
        for (const flag of flagsOf(rest)) expect(startFlags, `${path}: ${line}`).toContain(flag);
      }
    }
  });

  it('names every flag of the command line in docs/cli.md and of npm start in docs/configuration.md', () => {
    const cli = flagsOf(readText('docs/cli.md'));
    const ofCommand = flagsOf(commandHelp()).filter((flag) => flag !== '--help' && flag !== '--version');
    expect(ofCommand.length).toBeGreaterThan(10);
    for (const flag of ofCommand) expect(cli).toContain(flag);
    for (const flag of cli) expect(ofCommand).toContain(flag);
    const start = tableUnder(readText('docs/configuration.md'), '| flag | is |').map(
      ([cell = '']) => flagsOf(cell)[0],
    );
    expect(start.sort()).toEqual([...new Set(flagsOf(startUsage))].sort());
  });
});

describe('README.md', () => {
  it('has the table of settings as the code has it', () => {
    const expected = settingTable.map((row: SettingRow) => [
      `\`${row.name}\``,
      row.isRequired ? 'required' : row.defaultValue === undefined ? 'none' : `\`${row.defaultValue}\``,
      row.meaning.replaceAll('|', '\\|').replaceAll('<', '&lt;'),
    ]);
    expect(tableUnder(readme, '| setting | default | is |')).toEqual(expected);
  });

  it('shows every folder of shared/ in its layout, and none that does not exist', () => {
    const layout = codeBlocks(readme).find((block) => block.startsWith('functions/')) ?? '';
    const shown = [...layout.matchAll(/^ {2}(\w+)\/ /gm)].map((match) => match[1]).sort();
    const rooms = readdirSync(`${root}shared`, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(shown).toEqual(rooms.map((entry) => entry.name).sort());
    for (const [, path = ''] of layout.matchAll(/^(\S+)/gm))
      expect(existsSync(`${root}${path}`), path).toBe(true);
  });

  it('links every schema that is published', () => {
    const schemas = readdirSync(`${root}docs/schema`);
    expect(schemas.length).toBeGreaterThan(0);
    for (const name of schemas) expect(relativeLinks(readme)).toContain(`docs/schema/${name}`);
  });

  it('links every document in docs/', () => {
    for (const path of documents.filter((name) => /^docs\/[^/]+$/.test(name))) {
      expect(relativeLinks(readme)).toContain(path);
    }
  });

  it('has a configuration of Distribution that sends where the app listens', () => {
    const config: unknown = parse(codeBlocks(readme, 'yaml')[0] ?? '');
    expect(config).toMatchObject({
      notifications: {
        endpoints: [
          {
            url: `http://127.0.0.1:7071/api/${routes.receiveDistribution.path}`,
            headers: { Authorization: ['Bearer <token>'] },
            ignore: { actions: ['pull'] },
          },
        ],
      },
    });
  });

  it('has its glossary in order, one row for each word', () => {
    const words = tableUnder(readme, '| word | means |').map(([word = '']) => word);
    expect(words.length).toBeGreaterThan(20);
    expect(words).toEqual([...new Set(words)].sort((a, b) => a.localeCompare(b, 'en')));
  });
});

let help: string | undefined;

/** What `plimsoll --help` prints. */
function commandHelp(): string {
  if (help !== undefined) return help;
  const ran = spawnSync(process.execPath, [`${root}shared/cli/main.ts`, '--help'], { encoding: 'utf8' });
  expect(ran.status).toBe(0);
  help = ran.stdout;
  return help;
}

function flagsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map((match) => match[0]);
}
