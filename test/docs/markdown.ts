/** The repository's documents as text, and the parts of Markdown that the tests of documents look at. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Paths of README, CHANGELOG and everything in docs/, relative to the repository. */
export const documents: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort(),
];

export function readText(path: string): string {
  return readFileSync(`${root}${path}`, 'utf8');
}

/** Cells of the rows of the table whose header row is given, without the header. Throws where there is no such table. */
export function tableUnder(text: string, header: string): readonly (readonly string[])[] {
  const start = text.indexOf(`${header}\n`);
  if (start < 0) throw new Error(`no table with the header ${header}`);
  const lines = text.slice(start).split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(2, end).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

/** The content of fenced blocks, those of one language where it is named. */
export function codeBlocks(text: string, language?: string): readonly string[] {
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)]
    .filter((match) => language === undefined || match[1] === language)
    .map((match) => match[2] ?? '');
}

/** Targets of links that lead into this repository, with their anchors. */
export function relativeLinks(text: string): readonly string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors of the headings, as GitHub makes them. */
export function anchors(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
