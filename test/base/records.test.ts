/** Records between empty lines, and the faults of one input. */
import { describe, expect, it } from 'vitest';
import { excerpt, Faults } from '../../shared/base/faults.ts';
import { readRecords } from '../../shared/base/records.ts';

async function recordsOf(text: string): Promise<readonly (readonly string[])[]> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const character of text) yield new TextEncoder().encode(character);
  }
  const records: (readonly string[])[] = [];
  const keepUnlessDashed = (line: string, fields: Map<string, string>): void => {
    if (!line.startsWith('-')) fields.set(line, line);
  };
  for await (const batch of readRecords(chunks(), 100, keepUnlessDashed)) {
    for (const fields of batch) records.push([...fields.keys()]);
  }
  return records;
}

describe('readRecords', () => {
  it.each([
    ['', []],
    ['\n\n', []],
    ['a\nb\n\nc', [['a', 'b'], ['c']]],
    ['\n\na\n\n\n\nb\n', [['a'], ['b']]],
    ['a\n \t\nb', [['a'], ['b']]],
    ['a\r\n\r\nb\r\n', [['a'], ['b']]],
    ['-a\n\nb', [[], ['b']]],
  ])('%j', async (text, records) => {
    expect(await recordsOf(text)).toEqual(records);
  });
});

describe('Faults', () => {
  it('tells the first and counts the others', () => {
    const faults = new Faults();
    expect(faults.summary()).toBeUndefined();
    faults.note('one');
    expect(faults.summary()).toBe('one');
    faults.note('two');
    faults.note('three');
    expect(faults.summary()).toBe('one (and 2 more faults in this file)');
  });

  it('shows the start of what was found', () => {
    expect([excerpt(undefined), excerpt('a'), excerpt('b'.repeat(500)).length]).toEqual([
      'nothing',
      '"a"',
      82,
    ]);
  });
});
