/** The tables of configuration, operations and architecture, and the index of decisions, are those of the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseRegistries } from '../../shared/azure/registries-setting.ts';
import { defaultTimings } from '../../shared/pipeline/timings.ts';
import { blobContainers } from '../../shared/ports/blobs.ts';
import { containers } from '../../shared/ports/documents.ts';
import { queueNames } from '../../shared/ports/queue.ts';
import { codeBlocks, documents, readText, relativeLinks, root, tableUnder } from './markdown.ts';

const unitMs: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000 };

describe('docs/configuration.md', () => {
  const text = readText('docs/configuration.md');

  it('shows registries that the setting takes', () => {
    const { registries } = parseRegistries(codeBlocks(text, 'json')[0] ?? '', false);
    expect(registries.map((registry) => registry.auth.kind)).toEqual(['entra', 'basic']);
  });

  it('names every timing with its default', () => {
    const rows = tableUnder(text, '| name | default | is |').map(([name = '', value = '']) => [
      name.replaceAll('`', ''),
      value.split(', ').map((part) => {
        const [amount = '', unit = ''] = part.split(' ');
        return Number(amount) * (unitMs[unit] ?? Number.NaN);
      }),
    ]);
    const expected = Object.entries(defaultTimings).map(([name, value]) => [name, [value].flat()]);
    expect(rows).toEqual(expected);
  });
});

describe('the schedules in docs/configuration.md', () => {
  it('are those of the timers', () => {
    const inCode = readdirSync(`${root}functions`)
      .map((name) => readText(`functions/${name}`))
      .flatMap((source) => [...source.matchAll(/app\.timer\('([^']+)', \{\s*schedule: '([^']+)'/g)])
      .map(([, name, schedule]) => [`\`${name}\``, `\`${schedule}\``]);
    const rows = tableUnder(readText('docs/configuration.md'), '| timer | schedule | is |');
    expect(rows.map((row) => row.slice(0, 2))).toEqual(inCode.sort());
    expect(inCode.length).toBeGreaterThan(2);
  });
});

describe('docs/operations.md', () => {
  const text = readText('docs/operations.md');

  it('explains exactly the events that the app logs, each at its level', () => {
    const inCode = new Set<string>();
    for (const folder of ['shared/pipeline', 'shared/api', 'functions']) {
      for (const name of readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })) {
        if (!name.endsWith('.ts')) continue;
        const source = readFileSync(`${root}${folder}/${name}`, 'utf8');
        for (const [, level, event] of source.matchAll(/\blog\.(info|warn|error)\(\s*'([^']+)'/g)) {
          inCode.add(`${event} ${level}`);
        }
      }
    }
    expect(inCode.size).toBeGreaterThan(10);
    const rows = tableUnder(text, '| event | level | fields | means, and what to do |');
    const explained = rows.map(([event = '', level]) => `${event.replaceAll('`', '')} ${level}`);
    expect([...explained].sort()).toEqual([...inCode].sort());
  });

  it('says what becomes of each poison queue', () => {
    const rows = tableUnder(text, '| queue | shows as | drive it again |').map(([name = '']) => name);
    expect(rows).toEqual(queueNames.map((name) => `\`${name}\``));
  });
});

describe('docs/architecture.md', () => {
  const text = readText('docs/architecture.md');

  it('names every queue, container and partition key', () => {
    for (const name of [...queueNames, ...blobContainers]) expect(text).toContain(`\`${name}\``);
    const rows = tableUnder(text, '| container | partition key | holds (`type`) |').map((row) =>
      row.slice(0, 2),
    );
    expect(rows).toEqual(
      Object.entries(containers).map(([name, { partitionKey }]) => [`\`${name}\``, `\`/${partitionKey}\``]),
    );
  });

  it('names every property that documents are searched by', () => {
    const asked = new Set<string>();
    for (const folder of ['shared/pipeline', 'shared/api']) {
      for (const name of readdirSync(`${root}${folder}`).filter((file) => file.endsWith('.ts'))) {
        const source = readText(`${folder}/${name}`);
        for (const [, object = ''] of source.matchAll(/\bequals: \{([^}]*)\}/g)) {
          for (const part of object.split(',')) asked.add(part.split(':', 1)[0]?.trim() ?? '');
        }
        for (const [, property = ''] of source.matchAll(/\bbelow: \{ property: '(\w+)'/g))
          asked.add(property);
      }
    }
    const named = [...text.matchAll(/`\/body\/(\w+)`/g)].map((match) => match[1]);
    expect(asked.size).toBeGreaterThan(5);
    expect(named).toEqual(['type', ...[...asked].sort()]);
  });

  it('names files of steps that exist', () => {
    const files = readdirSync(`${root}shared/pipeline`);
    const rows = tableUnder(text, '| step | file in `shared/pipeline` | woken by | does | leaves |');
    expect(rows.length).toBeGreaterThan(8);
    for (const [, cell = ''] of rows.slice(1)) {
      for (const [, name] of cell.matchAll(/`([^`]+)`/g)) expect(files).toContain(name);
    }
  });
});

describe('examples', () => {
  it.each(
    documents.flatMap((path) => codeBlocks(readText(path), 'json').map((block) => [path, block] as const)),
  )('of JSON in %s are JSON', (_path, block) => {
    expect(() => JSON.parse(block)).not.toThrow();
  });

  it('of policies, registries and answers are there', () => {
    expect(documents.flatMap((path) => codeBlocks(readText(path), 'json')).length).toBeGreaterThan(5);
  });
});

describe('docs/decisions', () => {
  const records = readdirSync(`${root}docs/decisions`).filter((name) => name !== 'README.md');

  it('has a number for each record and no number twice', () => {
    expect(records.length).toBeGreaterThan(5);
    const numbers = records.map((name) => /^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1]);
    expect(numbers).not.toContain(undefined);
    expect(new Set(numbers).size).toBe(records.length);
  });

  it('lists every record in its index, in order', () => {
    expect(relativeLinks(readText('docs/decisions/README.md'))).toEqual([...records].sort());
  });
});
